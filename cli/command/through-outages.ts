import { ApiError, ConnectionError } from '../../client/errors.ts';
import { printable } from '../frame/text.ts';
import type { Session } from './session.ts';

const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 10_000;
const HOUR_MS = 3_600_000;

/** How long to wait after so many failures in a row, ms. */
export const pauseAfter = (failures: number): number =>
  Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));

type Options = {
  /** How long an outage may last, ms; an hour by default. */
  readonly atMostMs?: number;
  /** Says something above what is drawn. */
  readonly note?: (text: string) => void;
  /** Whether the bridge has answered; true by default. An address that never did is wrong, and not tried again. */
  readonly hasAnswered?: boolean;
};

/**
 * Repeats a call while the bridge, or the network to it, is away for a while: a laptop sleeps, a network changes, a
 * bridge is deployed.
 *
 * @returns a function that makes such a call, which must be safe to repeat
 */
export function throughOutages(
  { out, sleep, signal }: Pick<Session, 'out' | 'sleep' | 'signal'>,
  { atMostMs = HOUR_MS, note = out.note, hasAnswered = true }: Options = {},
) {
  let isKnown = hasAnswered;

  return async function call<T>(make: () => Promise<T>): Promise<T> {
    const begun = Date.now();
    for (let failures = 1; ; failures++) {
      try {
        const answer = await make();
        isKnown = true;
        if (failures > 1) note('The bridge answers again.');
        return answer;
      } catch (error) {
        signal.throwIfAborted();
        if (!isKnown || !isOutage(error) || Date.now() - begun >= atMostMs) throw error;
        if (failures === 1) note(`${printable((error as Error).message)} Trying again.`);
        const { retryAfterMs = pauseAfter(failures) } = error as { retryAfterMs?: number };
        await sleep(retryAfterMs);
      }
    }
  };
}

/** Whether the same call may succeed later. */
function isOutage(error: unknown): boolean {
  if (error instanceof ApiError) return error.status >= 500 || error.status === 429;
  return error instanceof ConnectionError;
}
