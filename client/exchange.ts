import { ApiError, ConnectionError } from './errors.ts';
import { isTransient, retryAfter, waitBefore } from './retry.ts';
import type { ProblemDetails } from './types.ts';

/** How to reach a bridge. */
export type ClientOptions = {
  /** The bridge's `ApiUrl`. */
  readonly url: string;
  /** The API key; calls of public paths need none. */
  readonly key?: string | undefined;
  /** Default: the global one. */
  readonly fetch?: typeof fetch;
  /** What one attempt may take, ms; the bridge itself answers within 30 s. */
  readonly timeoutMs?: number;
  /** Waits between attempts; rejects when the signal is aborted. For tests. */
  readonly sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  readonly now?: () => number;
  readonly random?: () => number;
};

/** What every call takes. */
export type CallOptions = {
  /** Ends the call, its waits between attempts included, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
};

/** What calls with an effect take. */
export type PostOptions = CallOptions & {
  /** By default a fresh one for each call, under which its attempts have one effect. */
  readonly idempotencyKey?: string | undefined;
};

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

type Call = PostOptions & {
  readonly query?: Query;
  readonly body?: unknown;
};

export type Exchange = <T>(method: string, path: string, call?: Call) => Promise<T>;

const TIMEOUT_MS = 35_000;

/**
 * Makes calls of the API, and repeats one that got no answer or a transient one. All calls may be repeated:
 * those that are not already idempotent carry an `Idempotency-Key`.
 *
 * @throws {ApiError} the API refused the call
 * @throws {ConnectionError} it did not answer
 */
export function createExchange(options: ClientOptions): Exchange {
  const { key, timeoutMs = TIMEOUT_MS, sleep = wait, now = Date.now, random = Math.random } = options;
  const base = options.url.replace(/\/+$/, '');
  const send = options.fetch ?? ((...args: Parameters<typeof fetch>) => fetch(...args));

  return async function exchange<T>(method: string, path: string, call: Call = {}): Promise<T> {
    const { body, signal } = call;
    const name = `${method} ${path}`;
    const init = { method, headers: headersOf(method, call), body: body && JSON.stringify(body) };
    for (let attempts = 1; ; attempts++) {
      signal?.throwIfAborted();
      let error: ApiError | ConnectionError;
      try {
        const response = await send(`${base}${path}${search(call.query)}`, {
          ...(init as RequestInit),
          signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]),
        });
        const text = await response.text();
        if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as T;
        // An earlier attempt of which the answer was lost has deleted it.
        if (method === 'DELETE' && response.status === 404 && attempts > 1) return undefined as T;
        const asked = retryAfter(response.headers.get('retry-after'), now());
        error = new ApiError(name, problemOf(response, text), asked);
        if (!isTransient(response.status)) throw error;
      } catch (thrown) {
        if (thrown instanceof ApiError) throw thrown;
        signal?.throwIfAborted();
        error = new ConnectionError(name, thrown);
      }
      const pause = waitBefore(attempts, error instanceof ApiError ? error.retryAfterMs : undefined, random);
      if (pause === undefined) throw error;
      await sleep(pause, signal);
    }
  };

  function headersOf(method: string, { body, idempotencyKey }: Call): Record<string, string> {
    return {
      accept: 'application/json',
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(method === 'POST' ? { 'idempotency-key': idempotencyKey ?? crypto.randomUUID() } : {}),
    };
  }
}

function search(query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  if (given.length === 0) return '';
  return `?${new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]))}`;
}

/** The answer's problem details, or as much of one as an answer of another form has. */
function problemOf({ status, statusText }: Response, text: string): ProblemDetails {
  let given: Partial<ProblemDetails> & { message?: string } = {};
  try {
    given = JSON.parse(text) ?? {};
  } catch {
    // Not of the API: a proxy's page, say.
  }
  return {
    type: 'about:blank',
    title: statusText || String(status),
    ...given,
    status,
    detail: given.detail ?? given.message ?? `The answer was ${status} ${statusText}.`,
  };
}

function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
