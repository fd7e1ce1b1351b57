import { STATUS_CODES } from 'node:http';
import { ExchangeError } from '../adapters/http/exchange-error.ts';
import type { Answer, SafeHttp } from '../adapters/http/safe-http.ts';
import type { SignedWebhook } from '../adapters/signed-webhook.ts';
import { type Attempt, isSuccess } from '../domain/delivering/attempt.ts';
import { retryAfterMs } from '../domain/http/retry-after.ts';

export type AttemptResult = { readonly attempt: Attempt; readonly retryAfterMs?: number };

/** `now` dates what happens; `elapsed` measures it (ms from any origin), whatever the clock does meanwhile. */
export type Clocks = { readonly now: () => number; readonly elapsed: () => number };

/** For the whole exchange, a second try included. */
export const TIMEOUT_MS = 15_000;
/** For the body, once the status is there: what it says is kept for people, and decides nothing. */
const BODY_TIMEOUT_MS = 1_000;
const MAX_ANSWER_BYTES = 65_536;
const KEPT_ANSWER_BYTES = 1_024;
const THROTTLES = [429, 503];

/**
 * One POST of a signed webhook. Whatever the receiver does is a result, never an error. A connection
 * that is reset without an answer may only mean that the server was restarted, so it is tried again at once.
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
      bodyTimeoutMs: BODY_TIMEOUT_MS,
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
        ...(isSuccess(answer) ? {} : { reason: reasonOf(answer, url, webhook.body) }),
        body: answer.body.toString('utf8'),
      },
      retryAfterMs: askedToWait(answer, now()),
    };
  } catch (error) {
    if (!(error instanceof ExchangeError)) throw error;
    return { attempt: { at, durationMs: durationMs(), error: error.class, reason: error.message } };
  }
}

function reasonOf({ statusCode, headers }: Answer, url: string, sent: string): string {
  const name = STATUS_CODES[statusCode];
  const answered = `The endpoint answered ${statusCode}${name ? ` ${name}` : ''}`;
  if (statusCode === 413)
    return `${answered}; the event has ${Buffer.byteLength(sent)} bytes: let the receiver take bodies of 20 kB.`;
  if (statusCode < 300 || statusCode >= 400 || headers.location === undefined) return `${answered}.`;
  return `${answered}, a redirect to ${targetOf(headers.location, url)}, which is not followed: use that URL instead.`;
}

const MAX_TARGET = 300;

/** The target of a redirect without its query, which may hold a secret. */
function targetOf(location: string, url: string): string {
  if (!URL.canParse(location, url)) return 'an address that is not valid';
  const { origin, pathname } = new URL(location, url);
  return (origin === 'null' ? 'an address that is not HTTP' : origin + pathname).slice(0, MAX_TARGET);
}

function askedToWait({ statusCode, headers }: Answer, now: number): number | undefined {
  return retryAfterMs(THROTTLES.includes(statusCode) ? headers['retry-after'] : undefined, now);
}
