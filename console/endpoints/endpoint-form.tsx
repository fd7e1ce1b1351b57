import { useSignal } from '@preact/signals';
import type { Endpoint, EndpointChange, NewEndpoint } from '../../client/client.ts';
import { Dialog } from '../parts/dialog.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { pairsIn } from '../parts/pairs.ts';
import { KINDS } from './endpoint-kinds.ts';

type EndpointFormProps = {
  readonly title: string;
  /** The one to edit; a new one without it. */
  readonly endpoint?: Endpoint;
  readonly onClose: () => void;
  readonly onSubmit: (given: Given) => Promise<unknown>;
};

type Given = EndpointChange & { kind?: NewEndpoint['kind']; secret?: string };

/** The fields of an endpoint. */
export function EndpointForm({ title, endpoint, onClose, onSubmit }: EndpointFormProps) {
  const error = useSignal<unknown>(undefined);
  const busy = useSignal(false);
  const kind = useSignal(endpoint?.kind ?? 'http');
  const { fields } = KINDS[kind.value];

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    busy.value = true;
    try {
      await onSubmit(givenIn(new FormData(event.currentTarget as HTMLFormElement), endpoint));
    } catch (thrown) {
      error.value = thrown;
      busy.value = false;
    }
  }

  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={(event) => void submit(event)}>
        {!endpoint && (
          <label>
            Kind
            <select
              name="kind"
              value={kind.value}
              onChange={({ currentTarget }) => {
                kind.value = currentTarget.value as Endpoint['kind'];
              }}
            >
              {Object.entries(KINDS).map(
                ([name, { description }]) =>
                  description && (
                    <option key={name} value={name}>
                      {name}: {description}
                    </option>
                  ),
              )}
            </select>
          </label>
        )}
        {fields.includes('url') && (
          <label>
            URL
            <input
              name="url"
              type="url"
              required
              defaultValue={endpoint?.url}
              placeholder="https://example.com/hooks"
            />
          </label>
        )}
        {fields.includes('busName') && (
          <label>
            Event bus
            <input name="busName" required defaultValue={endpoint?.busName} />
          </label>
        )}
        {fields.includes('events') && (
          <label>
            Events
            <input
              name="events"
              class="mono"
              defaultValue={endpoint?.events.join(', ') ?? 'video.*, endpoint.*'}
              aria-describedby="events-hint"
            />
            <span class="hint" id="events-hint">
              Types, or prefixes with .*; progress only when you name progress.updated
            </span>
          </label>
        )}
        <label>
          Description <span class="subtle">(optional)</span>
          <input name="description" defaultValue={endpoint?.description} maxLength={500} />
        </label>
        {fields.includes('rateLimit') && (
          <div class="two">
            <label>
              Rate limit <span class="subtle">(deliveries a second)</span>
              <input
                name="rateLimit"
                type="number"
                min="0.001"
                max="1000"
                step="any"
                defaultValue={endpoint?.rateLimit}
                placeholder="no limit"
              />
            </label>
            <label class="check">
              <input name="ordered" type="checkbox" defaultChecked={endpoint?.ordered} /> In order, one after
              the other
            </label>
          </div>
        )}
        {fields.includes('headers') && <HeadersField endpoint={endpoint} />}
        {!endpoint && fields.includes('secret') && (
          <label>
            Signing secret <span class="subtle">(optional, by default a fresh one)</span>
            <input name="secret" class="mono" autocomplete="off" placeholder="whsec_…" />
          </label>
        )}
        <ErrorNote error={error.value} />
        <div class="buttons">
          <button type="submit" class="primary" disabled={busy.value}>
            {endpoint ? 'Save' : 'Create'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Headers of the endpoint's own. Their values are never shown, so all of them are kept, or all are given again. */
function HeadersField({ endpoint }: Pick<EndpointFormProps, 'endpoint'>) {
  const names = Object.keys(endpoint?.headers ?? {}).join(', ');
  return (
    <>
      <label>
        Headers <span class="subtle">(optional, one on each line)</span>
        <textarea
          name="headers"
          rows={2}
          class="mono"
          placeholder="x-team: orders"
          aria-describedby="headers-hint"
        />
        <span class="hint" id="headers-hint">
          {names && `It has ${names}. What you write replaces all of them; an empty field keeps them.`}
        </span>
      </label>
      {names && (
        <label class="check">
          <input name="withoutHeaders" type="checkbox" /> Remove its headers
        </label>
      )}
    </>
  );
}

/** What the form says. Of an endpoint that is edited, only what differs. */
function givenIn(form: FormData, endpoint: Endpoint | undefined): Given {
  const text = (name: string) => {
    const value = form.get(name);
    return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
  };
  const rate = text('rateLimit');
  const headers = pairsIn(text('headers') ?? '');
  const hasHeaders = Object.keys(headers).length > 0;
  const all: Given = {
    kind: text('kind') as Given['kind'],
    url: text('url'),
    busName: text('busName'),
    events: text('events')
      ?.split(/[\s,]+/)
      .filter(Boolean),
    description: text('description') ?? (endpoint?.description ? '' : undefined),
    rateLimit: rate === undefined ? (endpoint?.rateLimit === undefined ? undefined : null) : Number(rate),
    ordered: form.has('ordered') || (endpoint?.ordered ? false : undefined),
    headers: hasHeaders || form.has('withoutHeaders') ? headers : undefined,
    secret: text('secret'),
  };
  const before: Partial<Record<string, unknown>> = endpoint ?? {};
  return Object.fromEntries(
    Object.entries(all).filter(
      ([name, value]) => value !== undefined && JSON.stringify(value) !== JSON.stringify(before[name]),
    ),
  );
}
