import type { Table } from '../adapters/dynamodb/table.ts';
import type { OutboxRow } from '../domain/events/outbox.ts';
import type { Claims } from '../engine/claims.ts';
import type { Hints } from '../engine/hints.ts';
import { stage } from '../engine/stage.ts';
import { createDispatchEvents } from './dispatch-events.ts';
import { createEraseRequest } from './erase-request.ts';

export type DispatchOptions = {
  readonly table: Table;
  readonly claims: Claims;
  readonly hints: Pick<Hints, 'send' | 'sendPacked'>;
  readonly now: () => number;
  readonly retentionDays: number;
  readonly log: { info(message: string, extra: Record<string, unknown>): void };
};

/** The stage that fans the events of due outboxes out to their endpoints, and erases purged requests. */
export function createDispatch(options: DispatchOptions) {
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
