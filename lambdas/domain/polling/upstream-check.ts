import type { RowKey, Work } from '../work.ts';
import type { PauseReason } from './upstream-pause.ts';

/** What came of a question to upstream; times in ms. */
export type UpstreamAnswer = {
  readonly at: number;
  readonly durationMs: number;
  /** `fault`: no answer, or one that says nothing of the key. */
  readonly outcome: 'accepted' | PauseReason | 'fault';
  /** Why, unless it was accepted. */
  readonly detail?: string | undefined;
};

/** The task to ask upstream whether it answers and takes the key. One row for all of upstream. */
export type UpstreamCheckRow = RowKey &
  Work & {
    /** ms since epoch. */
    askedAt: number;
    /** Missing until the poll stage has asked. */
    answer?: UpstreamAnswer;
  };

/** A good answer is told again for so long, ms. */
const ACCEPTED_FRESH_MS = 60_000;
/** Another answer is told again for so long, ms: somebody may be mending what it is about. */
const OTHER_FRESH_MS = 10_000;
/** A question without an answer is asked anew after this, ms. */
const LOST_AFTER_MS = 30_000;

/** Whether upstream is to be asked again, or the answer, or the wait for it, is young enough. */
export function mustAsk(last: UpstreamCheckRow | undefined, now: number): boolean {
  if (!last) return true;
  const { answer, askedAt } = last;
  if (!answer) return now - askedAt > LOST_AFTER_MS;
  return now - answer.at > (answer.outcome === 'accepted' ? ACCEPTED_FRESH_MS : OTHER_FRESH_MS);
}
