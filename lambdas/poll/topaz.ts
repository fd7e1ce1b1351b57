import * as z from 'zod/mini';
import type { SecretReader } from '../adapters/secrets.ts';
import { retryAfterMs } from '../domain/http/retry-after.ts';
import { MAX_SOURCE_URL_LENGTH } from '../domain/http/target-url.ts';
import type { PauseReason } from '../domain/polling/upstream-pause.ts';
import type { UpstreamStatus } from '../domain/requests/request.ts';
import type { PollOutcome } from '../domain/requests/transition.ts';
import { truncateUtf8 } from '../domain/truncate-utf8.ts';

/** A refusal that concerns the account and no single request, so all polling waits. */
export type Refusal = {
  readonly kind: 'pause';
  readonly reason: PauseReason;
  /** The wait that upstream asked for, ms. */
  readonly retryAfterMs?: number;
  /** What to put right. */
  readonly detail?: string;
};

export type Topaz = { status(requestId: string): Promise<PollOutcome | Refusal> };

/** A poll takes at most this long, also when it asks again with a new key; ms. */
export const TIMEOUT_MS = 10_000;
/** The share of it after which a second try begins, while the first still waits for an answer. */
const FIRST_TRY_SHARE = 0.5;
const MAX_BYTES = 1_048_576;
const MAX_JOBS_KEPT = 8;

/** A number that DynamoDB's client takes: not above the largest exact integer, and not almost zero. */
const bounded = (number: number): number => {
  if (Math.abs(number) < 1e-9) return 0;
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, number));
};
const number = z.pipe(z.number(), z.transform(bounded));
/** Text within that many bytes of UTF-8, without NUL, which many receivers' databases refuse. */
const text = (bytes: number) =>
  z.pipe(
    z.string(),
    z.transform((long) => truncateUtf8(long.replaceAll('\0', '\ufffd'), bytes)),
  );

/** Wrong types are ignored field by field: only a missing status makes an answer useless. */
const lenient = <T extends z.core.$ZodType>(type: T) => z.catch(z.optional(type), undefined);
const Bounds = z.tuple([number, number]);
/** What is kept of a node's state. */
const ProcessingJob = z.object({
  chunkIndex: lenient(number),
  taskIndex: lenient(number),
  status: lenient(text(32)),
  progress: lenient(number),
  fps: lenient(number),
  currentFrame: lenient(number),
  expectedOutputFrames: lenient(number),
});
const Answer = z.object({
  status: z.pipe(z.string().check(z.minLength(1), z.maxLength(64)), text(256)),
  progress: lenient(number),
  estimates: lenient(z.object({ cost: lenient(Bounds), time: lenient(Bounds) })),
  averageFps: lenient(number),
  combinedFps: lenient(number),
  outputSize: lenient(z.union([text(64), number])),
  processingJobs: lenient(
    z.pipe(
      z.array(z.unknown()),
      z.pipe(
        z.transform((jobs: unknown[]) => jobs.slice(0, MAX_JOBS_KEPT)),
        z.array(ProcessingJob),
      ),
    ),
  ),
  message: lenient(text(4_096)),
  errorCode: lenient(text(128)),
  download: lenient(
    z.object({
      url: z.string().check(z.maxLength(MAX_SOURCE_URL_LENGTH)),
      expiresIn: lenient(number),
      expiresAt: lenient(number),
    }),
  ),
});

class AnswerTooLarge extends Error {}

/**
 * `GET /video/{requestId}/status` of the Topaz Video API, parsed leniently, bounded in bytes and
 * time. Never throws for what upstream does, nor when the key cannot be read: both are outcomes.
 */
export function createTopaz(options: {
  baseUrl: string;
  apiKey: SecretReader;
  fetch: typeof fetch;
  now: () => number;
  timeoutMs?: number;
}): Topaz {
  const { baseUrl, now, timeoutMs = TIMEOUT_MS } = options;

  async function status(requestId: string): Promise<PollOutcome | Refusal> {
    const deadline = AbortSignal.timeout(timeoutMs);
    let key: string;
    try {
      key = usableKey(await options.apiKey()) ?? usableKey(await options.apiKey({ fresh: true })) ?? '';
    } catch (error) {
      return noKey(`the secret of the Topaz API key cannot be read: ${(error as Error).name}`);
    }
    if (!key) return noKey('the secret holds no Topaz API key: put yours in place of its text');
    const outcome = await ask(requestId, key, deadline);
    if (outcome.kind !== 'pause' || outcome.reason !== 'unauthorized') return outcome;
    // The key may have been put right since it was last read.
    const fresh = usableKey(await options.apiKey({ fresh: true }).catch(() => ''));
    return fresh && fresh !== key ? ask(requestId, fresh, deadline) : outcome;
  }

  async function ask(requestId: string, key: string, signal: AbortSignal): Promise<PollOutcome | Refusal> {
    let response: Response;
    try {
      response = await send(requestId, key, signal);
      if (response.status === 200) return parse(await boundedText(response), now());
    } catch (error) {
      return { kind: 'fault', reason: reasonOf(error) };
    }
    // Their bodies say nothing that is needed, and may be broken.
    response.body?.cancel().catch(() => {});
    switch (response.status) {
      case 401:
      case 403:
        return { kind: 'pause', reason: 'unauthorized' };
      case 404:
        return { kind: 'not-found' };
      case 429:
      case 503: {
        const wait = retryAfterMs(response.headers.get('retry-after') ?? undefined, now());
        return { kind: 'pause', reason: 'throttled', retryAfterMs: wait };
      }
      default:
        return { kind: 'fault', reason: `Topaz answered ${response.status}` };
    }
  }

  /**
   * One GET, and a second one when the first fails or has no answer after a while: the first answer counts.
   * Lambda freezes a process between invocations, and the connections that it kept may be dead when it
   * thaws: some answer with a reset, some never. If upstream is only slow, it may still answer the first.
   */
  async function send(requestId: string, key: string, signal: AbortSignal): Promise<Response> {
    const first = abortable((each) => get(requestId, key, AbortSignal.any([signal, each])));
    if (await first.answersWithin(timeoutMs * FIRST_TRY_SHARE)) return first.response;
    if (signal.aborted) return first.response;
    const second = abortable((each) => get(requestId, key, AbortSignal.any([signal, each])));
    const winner = await Promise.any([first, second].map((each) => each.response.then(() => each))).catch(
      () => second,
    );
    (winner === first ? second : first).abort();
    return winner.response;
  }

  const get = (requestId: string, key: string, signal: AbortSignal): Promise<Response> =>
    options.fetch(`${baseUrl.replace(/\/$/, '')}/video/${requestId}/status`, {
      headers: { 'x-api-key': key, accept: 'application/json' },
      redirect: 'manual',
      signal,
    });

  return { status };
}

/** One try that can be given up. */
function abortable(begin: (signal: AbortSignal) => Promise<Response>) {
  const controller = new AbortController();
  const response = begin(controller.signal);
  return {
    response,
    abort: () => controller.abort(),
    /** False when it failed, or has no answer after that many ms. */
    async answersWithin(ms: number): Promise<boolean> {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<boolean>((resolve) => {
        timer = setTimeout(resolve, ms, false);
      });
      const answered = response.then(
        () => true,
        () => false,
      );
      return Promise.race([answered, late]).finally(() => clearTimeout(timer));
    },
  };
}

const noKey = (detail: string): Refusal => ({ kind: 'pause', reason: 'no-key', detail });

/**
 * The key in a secret's text; undefined for the deployment's placeholder, which is JSON
 * (lib/secrets.ts), and for what no header can carry.
 */
function usableKey(text: string): string | undefined {
  const key = text.trim();
  return /^[\x21-\x7e]+$/.test(key) && !key.startsWith('{') ? key : undefined;
}

function parse(body: string, now: number): PollOutcome {
  let json: unknown;
  try {
    json = JSON.parse(repaired(body));
  } catch {
    return { kind: 'fault', reason: 'the answer is not JSON' };
  }
  const answer = Answer.safeParse(json);
  if (!answer.success) return { kind: 'fault', reason: 'the answer names no status' };
  const { download, ...status } = answer.data;
  return {
    kind: 'status',
    status: { ...status, download: download && withExpiry(download, now) } as UpstreamStatus,
  };
}

/** JSON as upstream means it: without a byte order mark, and `null` where some serializers write `NaN`. */
function repaired(body: string): string {
  // Also takes a byte order mark away.
  const text = body.trim();
  return /nan|inf/i.test(text) ? withoutNaN(text) : text;
}

/** What JSON has no number for, as languages write it: `NaN`, `-Infinity`, C's `nan` and `inf`. */
const NO_NUMBER = /[+-]?(nan|inf(inity)?)/iy;

/** One pass, since a pattern that skips strings could take quadratic time on hostile bytes. */
function withoutNaN(text: string): string {
  let result = '';
  let from = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (inString && char === '\\') at++;
    else if (char === '"') inString = !inString;
    else if (!inString) {
      NO_NUMBER.lastIndex = at;
      const word = NO_NUMBER.exec(text)?.[0];
      if (word === undefined) continue;
      result += `${text.slice(from, at)}null`;
      at += word.length - 1;
      from = at + 1;
    }
  }
  return result + text.slice(from);
}

/** `expiresIn` is in ms, and replaces a missing `expiresAt`. */
function withExpiry(
  {
    url,
    expiresIn,
    expiresAt,
  }: { url: string; expiresIn?: number | undefined; expiresAt?: number | undefined },
  now: number,
): UpstreamStatus['download'] {
  const end = expiresAt ?? (expiresIn === undefined ? undefined : bounded(now + expiresIn));
  return end === undefined ? { url } : { url, expiresAt: end };
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  if (!response.body) return '';
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) throw new AnswerTooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The class of a failed exchange: an error's own message may name the address or the key. */
function reasonOf(error: unknown): string {
  if (error instanceof AnswerTooLarge) return `the answer is larger than ${MAX_BYTES} bytes`;
  const { name, cause } = error instanceof Error ? error : { name: 'unknown error', cause: undefined };
  if (name === 'TimeoutError') return 'Topaz did not answer in time';
  const { code } = (cause ?? {}) as { code?: unknown };
  return `the connection to Topaz failed (${typeof code === 'string' ? code : name})`;
}
