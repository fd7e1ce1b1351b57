import type { RowKey, Work } from '../work.ts';
import type { PauseReason } from './upstream-pause.ts';

/** What upstream answered to the doctor; times in ms. */
export type UpstreamAnswer = {
  readonly at: number;
  readonly durationMs: number;
  /** `fault`: no answer, or one that says nothing of the key. */
  readonly outcome: 'accepted' | PauseReason | 'fault';
  /** Why, unless it was accepted. */
  readonly detail?: string | undefined;
};

/** The task to ask upstream whether it answers and accepts the key. One row for all of upstream. */
export type UpstreamCheckRow = RowKey &
  Work & {
    /** ms since epoch. */
    askedAt: number;
    /** Missing until the poll stage has asked. */
    answer?: UpstreamAnswer;
  };

/** How long a good answer is reused, ms. */
const ACCEPTED_FRESH_MS = 60_000;
/** How long any other answer is reused, ms: a person may be repairing the cause. */
const OTHER_FRESH_MS = 10_000;
/** After how long without an answer upstream is asked again, ms. */
const LOST_AFTER_MS = 30_000;

/** Whether upstream is to be asked again: the answer is too old, or is overdue. */
export function mustAsk(last: UpstreamCheckRow | undefined, now: number): boolean {
  if (!last) return true;
  const { answer, askedAt } = last;
  if (!answer) return now - askedAt > LOST_AFTER_MS;
  return now - answer.at > (answer.outcome === 'accepted' ? ACCEPTED_FRESH_MS : OTHER_FRESH_MS);
}
