import { ExchangeError } from '../adapters/http/exchange-error.ts';
import type { Answer, SafeHttp } from '../adapters/http/safe-http.ts';
import type { SignedWebhook } from '../adapters/signed-webhook.ts';
import type { Attempt } from '../domain/delivering/attempt.ts';
import { retryAfterMs } from '../domain/http/retry-after.ts';

export type AttemptResult = { readonly attempt: Attempt; readonly retryAfterMs?: number };

/** `now` dates what happens; `elapsed` measures it (ms from any origin), whatever the clock does meanwhile. */
export type Clocks = { readonly now: () => number; readonly elapsed: () => number };

/** For the whole exchange, a second try included. */
export const TIMEOUT_MS = 15_000;
const MAX_ANSWER_BYTES = 65_536;
const KEPT_ANSWER_BYTES = 1_024;
const THROTTLES = [429, 503];

/**
 * One POST of a signed webhook. Whatever the far side does is a result, never an error. A connection
 * that is reset says little of the endpoint, which may have been restarted: tried once more at once.
 */
export async function attemptPost(
  http: SafeHttp,
  url: string,
  webhook: SignedWebhook,
  extraHeaders: Readonly<Record<string, string>>,
  { now, elapsed }: Clocks,
): Promise<AttemptResult> {
  const at = now();
  const startedAt = elapsed();
  const durationMs = () => Math.round(elapsed() - startedAt);
  const post = () =>
    http.request({
      method: 'POST',
      url,
      headers: { ...extraHeaders, ...webhook.headers },
      body: webhook.body,
      timeoutMs: TIMEOUT_MS - durationMs(),
      maxBodyBytes: MAX_ANSWER_BYTES,
      keepBytes: KEPT_ANSWER_BYTES,
    });
  try {
    const answer = await post().catch((error: unknown) => {
      const again = error instanceof ExchangeError && error.class === 'reset' && durationMs() < TIMEOUT_MS;
      if (again) return post();
      throw error;
    });
    return {
      attempt: {
        at,
        durationMs: durationMs(),
        statusCode: answer.statusCode,
        body: answer.body.toString('utf8'),
      },
      retryAfterMs: askedToWait(answer, now()),
    };
  } catch (error) {
    if (!(error instanceof ExchangeError)) throw error;
    const { statusCode } = error;
    return { attempt: { at, durationMs: durationMs(), statusCode, error: error.class } };
  }
}

function askedToWait({ statusCode, headers }: Answer, now: number): number | undefined {
  return retryAfterMs(THROTTLES.includes(statusCode) ? headers['retry-after'] : undefined, now);
}
