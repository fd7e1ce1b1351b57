import { ExchangeError } from '../adapters/safe-http/exchange-error.ts';
import type { Answer, SafeHttp } from '../adapters/safe-http/safe-http.ts';
import type { Attempt } from '../domain/delivery.ts';
import { retryAfterMs } from '../domain/retry-after.ts';
import type { SignedWebhook } from './webhook.ts';

export type AttemptResult = { readonly attempt: Attempt; readonly retryAfterMs?: number };

/** For the whole exchange. */
const TIMEOUT_MS = 15_000;
const MAX_ANSWER_BYTES = 65_536;
const KEPT_ANSWER_BYTES = 1_024;
const THROTTLES = [429, 503];

/**
 * One POST of a signed webhook. Whatever the far side does is a result, never an error. A reset of a
 * connection that had lain idle says nothing of the endpoint, and is tried once more at once.
 */
export async function attemptPost(
  http: SafeHttp,
  url: string,
  webhook: SignedWebhook,
  extraHeaders: Readonly<Record<string, string>>,
  now: () => number,
): Promise<AttemptResult> {
  const at = now();
  const exchange = {
    method: 'POST',
    url,
    headers: { ...extraHeaders, ...webhook.headers },
    body: webhook.body,
    timeoutMs: TIMEOUT_MS,
    maxBodyBytes: MAX_ANSWER_BYTES,
    keepBytes: KEPT_ANSWER_BYTES,
  };
  try {
    const answer = await http.request(exchange).catch((error: unknown) => {
      if (error instanceof ExchangeError && error.class === 'reset') return http.request(exchange);
      throw error;
    });
    return answered(answer, at, now());
  } catch (error) {
    if (!(error instanceof ExchangeError)) throw error;
    const { statusCode } = error;
    return { attempt: { at, durationMs: now() - at, statusCode, error: error.class } };
  }
}

function answered(answer: Answer, at: number, now: number): AttemptResult {
  const { statusCode, body } = answer;
  const header = THROTTLES.includes(statusCode) ? answer.headers['retry-after'] : undefined;
  return {
    attempt: { at, durationMs: now - at, statusCode, body: body.toString('utf8') },
    retryAfterMs: retryAfterMs(header, now),
  };
}
