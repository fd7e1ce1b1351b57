import { useComputed, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Delivery } from '../../client/client.ts';
import { Badge } from '../parts/badge.tsx';
import { Choices } from '../parts/choices.tsx';
import { Empty, Loading } from '../parts/empty.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Ago } from '../parts/time.tsx';
import { TimeField } from '../parts/time-field.tsx';
import { deliveryTone } from '../parts/tone.ts';
import { plural } from '../parts/words.ts';
import { api } from '../session/session.ts';
import { DeliveryDialog } from './delivery-dialog.tsx';
import { whyNot } from './endpoint-words.ts';

type LogProps = {
  readonly endpointId: string;
  /** The delivery to open at once. */
  readonly chosen?: string | undefined;
};
type State = Delivery['state'] | '';

const STATES: readonly (readonly [State, string])[] = [
  ['', 'All'],
  ['failed', 'Failed'],
  ['pending', 'Pending'],
  ['held', 'Held'],
  ['delivered', 'Delivered'],
];
const PAGE = 50;
const REFRESH_MS = 4_000;

/** What an endpoint was sent, the newest events first. */
export function DeliveryLog({ endpointId, chosen }: LogProps) {
  const state = useSignal<State>('');
  const code = useSignal('');
  const type = useSignal('');
  const since = useSignal('');
  const found = useSignal<readonly Delivery[] | undefined>(undefined);
  const next = useSignal<string | undefined>(undefined);
  const error = useSignal<unknown>(undefined);
  const open = useSignal<string | undefined>(chosen);

  const list = () => api().endpoints.deliveries(endpointId, { state: state.value || undefined });
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    found.value = undefined;
    async function refresh(): Promise<void> {
      try {
        const page = await list().page({ limit: PAGE, signal });
        const isFirst = found.value === undefined;
        const fresh = new Set(page.items.map(({ id }) => id));
        found.value = [...page.items, ...(found.value ?? []).slice(PAGE).filter(({ id }) => !fresh.has(id))];
        if (isFirst) next.value = page.cursor;
        error.value = undefined;
      } catch (thrown) {
        if (!signal.aborted) error.value = thrown;
      }
    }
    void refresh();
    const timer = setInterval(() => !document.hidden && void refresh(), REFRESH_MS);
    return () => {
      controller.abort();
      clearInterval(timer);
    };
  }, [endpointId, state.value]);

  async function more(): Promise<void> {
    try {
      const page = await list().page({ limit: PAGE, cursor: next.value });
      const known = new Set(found.value?.map(({ id }) => id));
      found.value = [...(found.value ?? []), ...page.items.filter(({ id }) => !known.has(id))];
      next.value = page.cursor;
    } catch (thrown) {
      error.value = thrown;
    }
  }

  const shown = useComputed(() =>
    (found.value ?? []).filter((delivery) => {
      const last = delivery.attempts.at(-1);
      if (code.value && !String(last?.statusCode ?? '').startsWith(code.value)) return false;
      if (type.value && !delivery.type.includes(type.value)) return false;
      return !since.value || (last !== undefined && Date.parse(last.at) >= new Date(since.value).getTime());
    }),
  );

  return (
    <section class="panel">
      <h2>Delivery log</h2>
      <div class="filters">
        <Choices
          label="State of deliveries"
          options={STATES}
          value={state.value}
          onChange={(each) => {
            state.value = each;
          }}
        />
        <input
          aria-label="Type of event"
          placeholder="Type, e.g. video.stored"
          value={type.value}
          onInput={({ currentTarget }) => {
            type.value = currentTarget.value.trim();
          }}
        />
        <input
          aria-label="Status code"
          placeholder="Code"
          class="short"
          inputMode="numeric"
          value={code.value}
          onInput={({ currentTarget }) => {
            code.value = currentTarget.value.trim();
          }}
        />
        <TimeField label="Since" value={since} class="inline" />
      </div>
      <ErrorNote error={error.value} />
      {!found.value && !error.value && <Loading />}
      {found.value?.length === 0 && (
        <Empty title={state.value ? `No delivery is ${state.value}` : 'Nothing was sent yet'}>
          {!state.value && <p>Send a test, or wait for the next event that its filter matches.</p>}
        </Empty>
      )}
      <ul class="plain log">
        {shown.value.map((delivery) => (
          <li key={delivery.id}>
            <button type="button" class="log-row" onClick={() => (open.value = delivery.id)}>
              <Badge tone={deliveryTone(delivery.state)}>{delivery.state}</Badge>
              <strong>{delivery.type}</strong>
              <span class="number">{delivery.attempts.at(-1)?.statusCode ?? ''}</span>
              <span class="subtle clip">{whyNot(delivery) ?? delivery.requestId}</span>
              <span class="subtle">
                {delivery.nextAttemptAt && delivery.attemptCount > 0 ? (
                  <>
                    next try <Ago at={delivery.nextAttemptAt} />
                  </>
                ) : (
                  <Ago at={delivery.attempts.at(-1)?.at} />
                )}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {found.value && found.value.length > shown.value.length && (
        <p class="subtle">
          {plural(found.value.length - shown.value.length, 'loaded delivery', 'loaded deliveries')} left out
        </p>
      )}
      {next.value && (
        <button type="button" onClick={() => void more()}>
          Load older ones
        </button>
      )}
      {open.value && <DeliveryDialog id={open.value} onClose={() => (open.value = undefined)} />}
    </section>
  );
}
