import * as z from 'zod/mini';
import type { UpstreamStatus } from '../domain/request.ts';
import { retryAfterMs } from '../domain/retry-after.ts';
import type { PollOutcome } from '../domain/transition.ts';

/** Upstream asks for patience, or does not accept the key: no request's fault, all polling waits. */
export type BrakeSignal = {
  readonly kind: 'brake';
  readonly reason: 'unauthorized' | 'throttled';
  /** The wait that upstream asked for, ms. */
  readonly retryAfterMs?: number;
};

export type Topaz = { status(requestId: string): Promise<PollOutcome | BrakeSignal> };

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 1_048_576;
const MAX_JOBS_KEPT = 8;

/** Wrong types are ignored field by field: only a missing status makes an answer useless. */
const lenient = <T extends z.core.$ZodType>(type: T) => z.catch(z.optional(type), undefined);
const Bounds = z.tuple([z.number(), z.number()]);
const Answer = z.object({
  status: z.string().check(z.minLength(1), z.maxLength(64)),
  progress: lenient(z.number()),
  estimates: lenient(z.object({ cost: lenient(Bounds), time: lenient(Bounds) })),
  averageFps: lenient(z.number()),
  combinedFps: lenient(z.number()),
  outputSize: lenient(z.union([z.string(), z.number()])),
  processingJobs: lenient(z.array(z.record(z.string(), z.unknown()))),
  message: lenient(z.string()),
  errorCode: lenient(z.string()),
  download: lenient(
    z.object({ url: z.string(), expiresIn: lenient(z.number()), expiresAt: lenient(z.number()) }),
  ),
});

/**
 * `GET /video/{requestId}/status` of the Topaz Video API, parsed leniently, bounded in bytes and
 * time. Never throws for what the far side does: that is an outcome.
 */
export function createTopaz(options: {
  baseUrl: string;
  /** Reads the key; `fresh` reads past a cache. */
  apiKey: (options?: { fresh?: boolean }) => Promise<string>;
  fetch: typeof fetch;
  now: () => number;
  timeoutMs?: number;
}): Topaz {
  const { baseUrl, apiKey, now, timeoutMs = TIMEOUT_MS } = options;
  let refused = false;

  async function status(requestId: string): Promise<PollOutcome | BrakeSignal> {
    const key = await apiKey({ fresh: refused });
    let response: Response;
    let body: string;
    try {
      response = await options.fetch(`${baseUrl.replace(/\/$/, '')}/video/${requestId}/status`, {
        headers: { 'x-api-key': key, accept: 'application/json' },
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMs),
      });
      body = await boundedText(response);
    } catch (error) {
      return { kind: 'fault', reason: reasonOf(error) };
    }
    refused = response.status === 401 || response.status === 403;
    if (refused) return { kind: 'brake', reason: 'unauthorized' };
    if (response.status === 200) return parse(body);
    if (response.status === 404) return { kind: 'not-found' };
    if (response.status === 429 || response.status === 503) {
      const wait = retryAfterMs(response.headers.get('retry-after') ?? undefined, now());
      return { kind: 'brake', reason: 'throttled', retryAfterMs: wait };
    }
    return { kind: 'fault', reason: `status ${response.status}` };
  }

  return { status };
}

function parse(body: string): PollOutcome {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return { kind: 'fault', reason: 'the answer is not JSON' };
  }
  const answer = Answer.safeParse(json);
  if (!answer.success) return { kind: 'fault', reason: 'the answer names no status' };
  const { processingJobs, ...status } = answer.data;
  const jobs = processingJobs?.slice(0, MAX_JOBS_KEPT);
  return { kind: 'status', status: { ...status, processingJobs: jobs } as UpstreamStatus };
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  if (!response.body) return '';
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) throw new Error(`the answer is larger than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The class of a failed exchange, without the address. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  if (error.name === 'TimeoutError') return 'timed out';
  const cause = error.cause as { code?: unknown } | undefined;
  return typeof cause?.code === 'string' ? cause.code : error.message;
}
