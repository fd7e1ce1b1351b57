import type { OutboxRow } from '../domain/events/outbox.ts';
import { stage } from '../engine/stage.ts';
import type { DispatchDependencies } from './dispatch-dependencies.ts';
import { createDispatchEvents } from './dispatch-events.ts';
import { createEraseRequest } from './erase-request.ts';

/** The stage that fans the events of due outboxes out to their endpoints, and erases purged requests. */
export function createDispatch(options: DispatchDependencies) {
  const { claims, hints, now } = options;
  const dispatchEvents = createDispatchEvents(options);
  const eraseRequest = createEraseRequest(options);
  return stage<OutboxRow>({
    lanes: ['dispatch'],
    claims,
    hints,
    now,
    work: (claim, context) => (claim.row.purge ? eraseRequest : dispatchEvents)(claim, context),
  });
}
