import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { BridgeEvent, Delivery } from '../../client/client.ts';
import { eventTypes } from '../events/event-types.ts';
import { Badge } from '../parts/badge.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Json } from '../parts/json.tsx';
import { deliveryTone } from '../parts/tone.ts';
import { useLive } from '../parts/use-live.ts';
import { span } from '../parts/words.ts';
import { api } from '../session/session.ts';
import { whyNot } from './endpoint-words.ts';

type TestDialogProps = { readonly endpointId: string; readonly onClose: () => void };

const LOOK_MS = 700;

/** Sends an event of any type to the endpoint alone, and shows how it is received. */
export function TestDialog({ endpointId, onClose }: TestDialogProps) {
  const type = useSignal<BridgeEvent['type']>('endpoint.test');
  const eventId = useSignal<string | undefined>(undefined);
  const error = useSignal<unknown>(undefined);
  const delivery = useSignal<Delivery | undefined>(undefined);
  const types = useLive((signal) => eventTypes(signal), 3_600_000, []);
  const sample = types.data.value?.find((each) => each.type === type.value);

  useEffect(() => {
    if (!eventId.value) return;
    const timer = setInterval(async () => {
      const { items } = await api().endpoints.deliveries(endpointId).page({ limit: 20 });
      delivery.value = items.find((each) => each.eventId === eventId.value);
    }, LOOK_MS);
    return () => clearInterval(timer);
  }, [eventId.value]);

  async function send(): Promise<void> {
    error.value = undefined;
    delivery.value = undefined;
    try {
      eventId.value = (await api().endpoints.test(endpointId, { type: type.value })).eventId;
    } catch (thrown) {
      error.value = thrown;
    }
  }

  return (
    <Dialog title="Send a test" onClose={onClose} wide>
      <label>
        Type of event
        <select
          value={type.value}
          onChange={({ currentTarget }) => {
            type.value = currentTarget.value as BridgeEvent['type'];
          }}
        >
          {(types.data.value ?? [{ type: 'endpoint.test' }]).map((each) => (
            <option key={each.type}>{each.type}</option>
          ))}
        </select>
      </label>
      {sample && <Json value={sample.example} label="Example" />}
      <p class="subtle">
        It goes to this endpoint alone, whatever its filter. A sample says <code>"test": true</code> in its
        data.
      </p>
      <ErrorNote error={error.value} />
      {eventId.value && <Outcome delivery={delivery.value} />}
      <div class="buttons">
        <button type="button" class="primary" onClick={() => void send()}>
          {eventId.value ? 'Send another' : 'Send'}
        </button>
      </div>
    </Dialog>
  );
}

function Outcome({ delivery }: { readonly delivery: Delivery | undefined }) {
  const last = delivery?.attempts.at(-1);
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
