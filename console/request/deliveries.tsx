import { Link } from 'wouter-preact';
import type { Timeline } from '../../client/client.ts';
import { Action } from '../parts/action.tsx';
import { Badge } from '../parts/badge.tsx';
import { DueIn } from '../parts/time.tsx';
import { deliveryTone } from '../parts/tone.ts';
import { api, isAdmin } from '../session/session.ts';
import type { Story } from './story.ts';

const SHOWN = 8;

type DeliveriesProps = { readonly timeline: Timeline; readonly story: Story };

/** What was sent, the newest first; what did not arrive, with the reason. */
export function Deliveries({ timeline: { deliveries, events }, story }: DeliveriesProps) {
  const newest = [...deliveries].reverse();
  const ordered = [
    ...newest.filter(({ state }) => state === 'failed'),
    ...newest.filter(({ state }) => state !== 'failed'),
  ];
  return (
    <section class="panel">
      <h2>Deliveries</h2>
      {deliveries.length === 0 && events.length === 0 && <p class="subtle">There is no event to send yet.</p>}
      {deliveries.length === 0 && events.length > 0 && (
        <p class="subtle">
          No webhook was sent: no endpoint matched. Create one on the page{' '}
          <Link href="/endpoints">Endpoints</Link>.
        </p>
      )}
      <ul class="plain deliveries">
        {ordered.slice(0, SHOWN).map(({ id, type, state, endpointId, reason, nextAttemptAt }) => (
          <li key={id}>
            <div>
              <Badge tone={deliveryTone(state)}>{state}</Badge> <strong>{type}</strong>{' '}
              <Link href={`/endpoints/${endpointId}?delivery=${id}`} class="break">
                {story.nameOf(endpointId)}
              </Link>
            </div>
            {reason && <div class="subtle">{reason}</div>}
            {nextAttemptAt && (
              <div class="subtle">
                next attempt <DueIn at={nextAttemptAt} />
              </div>
            )}
            {isAdmin.value && state === 'failed' && (
              <Action class="quiet" run={() => api().deliveries.retry(id)}>
                Retry
              </Action>
            )}
          </li>
        ))}
      </ul>
      {ordered.length > SHOWN && <p class="subtle">and {ordered.length - SHOWN} more, in the list below</p>}
    </section>
  );
}
