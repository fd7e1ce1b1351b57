import { Link } from 'wouter-preact';
import { Action } from '../parts/action.tsx';
import { Badge } from '../parts/badge.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Loading } from '../parts/empty.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Json } from '../parts/json.tsx';
import { DueIn } from '../parts/time.tsx';
import { deliveryTone } from '../parts/tone.ts';
import { useLive } from '../parts/use-live.ts';
import { api, isAdmin } from '../session/session.ts';
import { AttemptResult } from './attempt-result.tsx';
import { whyNot } from './endpoint-words.ts';

/** One delivery in full: why it has not arrived, each attempt, and what is sent. */
export function DeliveryDialog({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  const { data, error, reload } = useLive(
    async (signal) => {
      const delivery = await api().deliveries.get(id, { signal });
      const event = await api()
        .events.get(delivery.eventId, { signal })
        .catch(() => undefined);
      return { delivery, event };
    },
    2_000,
    [id],
  );
  const { delivery, event } = data.value ?? {};
  const reason = delivery && whyNot(delivery);
  return (
    <Dialog title={delivery?.type ?? 'Delivery'} onClose={onClose} wide>
      <ErrorNote error={error.value} />
      {!delivery && !error.value && <Loading />}
      {delivery && (
        <>
          <p>
            <Badge tone={deliveryTone(delivery.state)}>{delivery.state}</Badge>{' '}
            {delivery.nextAttemptAt && (
              <>
                next attempt <DueIn at={delivery.nextAttemptAt} />{' '}
              </>
            )}
            {delivery.requestId && !event?.data.test && (
              <Link href={`/requests/${delivery.requestId}`}>its request</Link>
            )}
          </p>
          {reason && (
            <p class="note bad">
              <strong>Why it has not arrived.</strong> {reason}
            </p>
          )}
          <h3>
            Attempts{' '}
            {delivery.attemptCount > delivery.attempts.length && (
              <span class="subtle">
                (the last {delivery.attempts.length} of {delivery.attemptCount})
              </span>
            )}
          </h3>
          {delivery.attempts.length === 0 && <p class="subtle">There was none yet.</p>}
          <ol class="plain attempts">
            {delivery.attempts.map((attempt) => (
              <li key={attempt.at}>
                <AttemptResult attempt={attempt} />
              </li>
            ))}
          </ol>
          {event && (
            <>
              <h3>Payload</h3>
              <Json value={event} label="Payload" />
            </>
          )}
          {isAdmin.value && (
            <div class="buttons">
              <Action class="primary" run={() => api().deliveries.retry(id).then(reload)}>
                {delivery.state === 'pending' || delivery.state === 'held' ? 'Try now' : 'Send again'}
              </Action>
            </div>
          )}
        </>
      )}
    </Dialog>
  );
}
