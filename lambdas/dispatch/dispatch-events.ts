import { type Cursors, lowestCursor, newDeliveries, nextBatch } from '../domain/delivering/fan-out.ts';
import type { EventRow } from '../domain/events/event.ts';
import type { OutboxRow } from '../domain/events/outbox.ts';
import type { Claim } from '../engine/claim-writes.ts';
import type { WorkContext } from '../engine/stage.ts';
import { createCommitFanOut } from './commit-fan-out.ts';
import type { DispatchDependencies } from './dispatch-dependencies.ts';
import { createReadOutbox } from './read-outbox.ts';

/** Deliveries in one transaction, which takes 100 writes; one that waits takes two. */
const MOST_DELIVERIES = 45;

/**
 * Fans the events of one claimed outbox out, in order: each batch is one transaction of delivery
 * rows and the cursor, under the outbox's claim.
 *
 * The events are read before the endpoints, and both consistently, so an endpoint that existed when
 * an event was written is seen. A callback that is added in between takes the claim away. So no
 * version of the endpoint list needs to be checked.
 */
export function createDispatchEvents(dependencies: DispatchDependencies) {
  const { table, now } = dependencies;
  const { pageAfter, audienceOf } = createReadOutbox(table);
  const commitFanOut = createCommitFanOut(dependencies);

  return async function dispatchEvents(claim: Claim<OutboxRow>, context: WorkContext): Promise<void> {
    const { pk } = claim.row;
    let cursors = cursorsOf(claim.row);
    let { chains = {} } = claim.row;
    for (;;) {
      const { events, more, meta } = await pageAfter(pk, lowestCursor(cursors));
      const audience = await audienceOf(pk, meta);
      do {
        const { deliveries: batch, ...after } = nextBatch(cursors, events, audience, MOST_DELIVERIES);
        const { rows: deliveries, ...newest } = newDeliveries(batch, chains, meta?.metadata, now());
        ({ cursors } = after);
        ({ chains } = newest);
        const isDone = !more && isPast(cursors, events);
        const next = isDone ? 'done' : now() > context.deadline ? 'later' : 'go on';
        const progress = { ...cursors, chains };
        await commitFanOut(claim, { batch, deliveries, progress, next }, context);
        if (next !== 'go on') return;
      } while (!isPast(cursors, events));
    }
  };
}

const cursorsOf = ({ accountCursor, callbackCursors }: Partial<Cursors>): Cursors => ({
  accountCursor: accountCursor ?? { position: 0 },
  callbackCursors: callbackCursors ?? {},
});

const isPast = (cursors: Cursors, events: readonly EventRow[]): boolean =>
  lowestCursor(cursors) >= (events.at(-1)?.position ?? 0);
