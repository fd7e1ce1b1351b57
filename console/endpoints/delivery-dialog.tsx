import { Link } from 'wouter-preact';
import type { Attempt } from '../../client/client.ts';
import { Action } from '../parts/action.tsx';
import { Badge } from '../parts/badge.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Loading } from '../parts/empty.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Json } from '../parts/json.tsx';
import { Ago, Time } from '../parts/time.tsx';
import { deliveryTone } from '../parts/tone.ts';
import { useLive } from '../parts/use-live.ts';
import { span } from '../parts/words.ts';
import { api, isAdmin } from '../session/session.ts';
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
                next attempt <Ago at={delivery.nextAttemptAt} />{' '}
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
              <AttemptItem key={attempt.at} attempt={attempt} />
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
                {delivery.state === 'pending' ? 'Try now' : 'Send again'}
              </Action>
            </div>
          )}
        </>
      )}
    </Dialog>
  );
}

function AttemptItem({
  attempt: { at, durationMs, statusCode, error, reason, body },
}: {
  readonly attempt: Attempt;
}) {
  const failed = error !== undefined || reason !== undefined;
  return (
    <li>
      <div>
        <Badge tone={failed ? 'bad' : 'good'}>
          {statusCode === undefined ? (failed ? 'no answer' : 'acknowledged') : String(statusCode)}
        </Badge>{' '}
        <Time at={at} /> <span class="subtle">after {span(durationMs)}</span>
      </div>
      {reason && <div>{reason}</div>}
      {error && <div class="subtle mono">{error}</div>}
      {body && <Json value={body} label="How the answer began" />}
    </li>
  );
}
