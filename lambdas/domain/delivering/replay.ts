import { matches } from '../events/event-filter.ts';
import type { RowKey, Work } from '../work.ts';
import { type DeliveryRow, isFinal } from './delivery.ts';

export const REPLAY_STATES = ['queueing', 'sending', 'done'] as const;
type ReplayState = (typeof REPLAY_STATES)[number];

/** The task to send earlier deliveries of an endpoint again; carried out page by page. */
export type ReplayRow = RowKey &
  Work & {
    id: string;
    endpointId: string;
    /** The events that occurred in [since, until); ms since epoch. */
    since: number;
    until: number;
    /** Which deliveries: those that failed, or all that are final. */
    of: 'failed' | 'all';
    /** Only of this type of event, or of those with this prefix; by default of all. */
    type?: string;
    createdAt: number;
    /** The last event looked at. */
    cursor?: string;
    /** Whether all of the range was looked at. */
    queuedAll?: boolean;
    /** How many deliveries of the range it sends again, and how many of them are in the backlog so far. */
    matched: number;
    queued: number;
    expiresAt: number;
  };

/** Whether a replay sends this delivery again. A pending or held one goes out without it. */
export const isReplayed = ({ of, type }: ReplayRow, row: DeliveryRow): boolean =>
  isFinal(row) &&
  row.state !== 'canceled' &&
  (of === 'all' || row.state === 'failed') &&
  (type === undefined || matches([type], row.type));

/** @param done how many of its deliveries have ended */
export function replayState({ queuedAll, queued }: ReplayRow, done: number): ReplayState {
  if (!queuedAll) return 'queueing';
  return done < queued ? 'sending' : 'done';
}
