import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Attempt, BridgeEvent, Delivery, Endpoint } from '../../client/client.ts';
import { eventTypes } from '../events/event-types.ts';
import { TypeSelect } from '../events/type-select.tsx';
import { Badge } from '../parts/badge.tsx';
import { Choices } from '../parts/choices.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { isTaken } from '../parts/is-taken.ts';
import { Json } from '../parts/json.tsx';
import { deliveryTone } from '../parts/tone.ts';
import { useLive } from '../parts/use-live.ts';
import { span } from '../parts/words.ts';
import { api } from '../session/session.ts';
import { AttemptResult } from './attempt-result.tsx';
import { KINDS } from './endpoint-kinds.ts';
import { whyNot } from './endpoint-words.ts';

type TestDialogProps = { readonly endpoint: Pick<Endpoint, 'id' | 'kind'>; readonly onClose: () => void };

type To = 'endpoint' | 'url';

const LOOK_MS = 700;
const URL_TEST_CALLS = 4;
const TARGETS = [
  ['endpoint', 'To this endpoint'],
  ['url', 'To another URL'],
] as const;

/** Sends an event of any type to the endpoint alone, or once to any URL, and shows how it is received. */
export function TestDialog({ endpoint: { id: endpointId, kind }, onClose }: TestDialogProps) {
  const type = useSignal('endpoint.test');
  const to = useSignal<To>('endpoint');
  const url = useSignal('');
  const busy = useSignal(false);
  const eventId = useSignal<string | undefined>(undefined);
  const error = useSignal<unknown>(undefined);
  const delivery = useSignal<Delivery | undefined>(undefined);
  /** Of a test to another URL, which is no delivery. */
  const attempt = useSignal<Attempt | undefined>(undefined);
  const types = useLive(eventTypes, 3_600_000, []);
  const sample = types.data.value?.find((each) => each.type === type.value);

  useEffect(() => {
    const id = eventId.value;
    if (!id) return;
    const controller = new AbortController();
    const find = findDelivery(endpointId, id, controller.signal);
    const timer = setInterval(async () => {
      // If one call fails, the next tries again.
      const found = await find().catch(() => undefined);
      if (!found) return;
      delivery.value = found;
      if (found.state !== 'pending' && found.state !== 'held') clearInterval(timer);
    }, LOOK_MS);
    return () => {
      controller.abort();
      clearInterval(timer);
    };
  }, [eventId.value]);

  function forget(): void {
    error.value = undefined;
    eventId.value = undefined;
    delivery.value = undefined;
    attempt.value = undefined;
  }

  async function send(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    forget();
    busy.value = true;
    const { endpoints } = api();
    const wanted = type.value as BridgeEvent['type'];
    try {
      if (to.value === 'url') {
        const test = { type: wanted, url: url.value.trim(), idempotencyKey: crypto.randomUUID() };
        // A call waits for 20 s; another one with the same key sends nothing, and waits on.
        for (let calls = 0; calls < URL_TEST_CALLS && !attempt.value; calls++)
          attempt.value = (await endpoints.testUrl(endpointId, test)).attempt;
        if (!attempt.value) error.value = new Error(NOT_YET);
      } else eventId.value = (await endpoints.test(endpointId, { type: wanted })).eventId;
    } catch (thrown) {
      error.value = thrown;
    } finally {
      busy.value = false;
    }
  }

  return (
    <Dialog title="Send a test" onClose={onClose} wide>
      <form onSubmit={(event) => void send(event)}>
        <Choices
          label="Where to"
          options={TARGETS}
          value={to.value}
          onChange={(each) => {
            forget();
            to.value = each;
          }}
        />
        {to.value === 'url' && (
          <label>
            URL
            <input
              type="url"
              required
              placeholder="https://example.com/hooks"
              value={url.value}
              onInput={({ currentTarget }) => {
                url.value = currentTarget.value;
              }}
            />
          </label>
        )}
        <TypeSelect value={type} isFilter={false} />
        {sample && <Json value={sample.example} label="Example" />}
        <p class="subtle">
          {to.value === 'url'
            ? 'It goes there once, signed by the secret of this endpoint, and without its headers.'
            : 'It goes to this endpoint alone, whatever its filter.'}{' '}
          A sample says <code>"test": true</code> in its data.
        </p>
        <ErrorNote error={error.value} />
        {busy.value && to.value === 'url' && <p role="status">Waiting for the answer …</p>}
        {attempt.value && (
          <div role="status" class={`note ${isTaken(attempt.value) ? 'good' : 'bad'}`}>
            <AttemptResult attempt={attempt.value} />
          </div>
        )}
        {eventId.value && <Outcome delivery={delivery.value} kind={kind} />}
        <div class="buttons">
          <button type="submit" class="primary" disabled={busy.value}>
            {eventId.value || attempt.value ? 'Send another' : 'Send'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Finds the delivery of an event by the event's time: others may have come since. */
function findDelivery(endpointId: string, eventId: string, signal: AbortSignal) {
  let at: string | undefined;
  return async (): Promise<Delivery | undefined> => {
    at ??= (await api().events.get(eventId, { signal })).timestamp;
    const until = new Date(Date.parse(at) + 1).toISOString();
    const list = api().endpoints.deliveries(endpointId, { since: at, until }, { signal });
    for await (const each of list) if (each.eventId === eventId) return each;
    return undefined;
  };
}

const NOT_YET = 'No answer yet: the bridge is busy. Send another one in a minute.';

type OutcomeProps = { readonly delivery: Delivery | undefined } & Pick<Endpoint, 'kind'>;

function Outcome({ delivery, kind }: OutcomeProps) {
  const last = delivery?.attempts.at(-1);
  if (delivery && !last && delivery.state === 'pending' && KINDS[kind].isFetched)
    return <p role="status">It waits until a client fetches and acknowledges it.</p>;
  if (!delivery || (!last && delivery.state === 'pending')) return <p role="status">On its way …</p>;
  const reason = whyNot(delivery);
  return (
    <p role="status" class={`note ${delivery.state === 'delivered' ? 'good' : 'bad'}`}>
      <Badge tone={last && delivery.state === 'pending' ? 'bad' : deliveryTone(delivery.state)}>
        {last && delivery.state === 'pending' ? 'not received' : delivery.state}
      </Badge>{' '}
      {reason ??
        `The answer was ${last?.statusCode ?? 'an acknowledgement'}, after ${span(last?.durationMs ?? 0)}.`}
    </p>
  );
}
