import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBuffers } from '../../../lambdas/copy/buffers.ts';
import { copyParts, type PartRoute, type PartsOptions } from '../../../lambdas/copy/copy-parts.ts';
import { broken, SourceError } from '../../../lambdas/copy/source/source-error.ts';
import { BucketError } from '../../../lambdas/copy/uploads/bucket-error.ts';

const source = Buffer.from(Array.from({ length: 1000 }, (_, i) => (i * 31) % 251));
const PART = 100;
const jobs = Array.from({ length: 10 }, (_, i) => ({ number: i + 1, start: i * PART, length: PART }));

/** A route within memory, and what it has stored. */
function memoryRoute(
  failures: { fetch?: () => number | Error | undefined; store?: () => Error | undefined } = {},
) {
  const stored = new Map<number, Buffer>();
  const seen = { fetching: 0, mostFetching: 0, fetched: 0 };
  const route: PartRoute = {
    fetch: async ({ start, length }, into) => {
      seen.mostFetching = Math.max(seen.mostFetching, ++seen.fetching);
      await new Promise(setImmediate);
      seen.fetching--;
      const fault = failures.fetch?.();
      if (fault instanceof Error) throw fault;
      const rest = length - into.filled;
      const given = Math.min(rest, fault ?? rest);
      source.copy(into.bytes, into.filled, start + into.filled, start + into.filled + given);
      into.filled += given;
      seen.fetched += given;
      if (given < rest) throw broken('cut');
    },
    store: async (part, body, crc) => {
      const fault = failures.store?.();
      if (fault) throw fault;
      if (crc !== crc32(body)) throw new BucketError('corrupt', 'BadDigest');
      stored.set(part, Buffer.from(body));
    },
  };
  const whole = () => Buffer.concat([...stored].sort(([a], [b]) => a - b).map(([, body]) => body));
  return { route, stored, seen, whole };
}

const options = (route: PartRoute, changes: Partial<PartsOptions> = {}): PartsOptions => ({
  route,
  concurrency: 4,
  buffers: createBuffers(),
  signal: new AbortController().signal,
  deadline: Number.POSITIVE_INFINITY,
  now: () => 0,
  sleep: async () => {},
  onStored: () => {},
  ...changes,
});

test('all parts arrive, each where it belongs, and one lane less fetches than there are', async () => {
  const { route, whole, seen } = memoryRoute();
  expect(await copyParts(jobs, options(route))).toBe(true);
  expect(whole().equals(source)).toBe(true);
  expect(seen.mostFetching).toBe(3);
});

test('whatever breaks, what arrives is right, and no byte is fetched twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.infiniteStream(fc.option(fc.integer({ min: 1, max: PART }), { nil: undefined })),
      async (cuts) => {
        const { route, whole, seen } = memoryRoute({ fetch: () => cuts.next().value ?? undefined });
        expect(await copyParts(jobs, options(route))).toBe(true);
        expect(whole().equals(source)).toBe(true);
        expect(seen.fetched).toBe(source.length);
      },
    ),
  );
});

test('a part whose checksum is refused is fetched again', async () => {
  const refusals = [new BucketError('corrupt', 'BadDigest'), new BucketError('corrupt', 'BadDigest')];
  const { route, whole, seen } = memoryRoute({ store: () => refusals.pop() });
  expect(await copyParts(jobs, options(route))).toBe(true);
  expect(whole().equals(source)).toBe(true);
  expect(seen.fetched).toBe(source.length + 2 * PART);
});

test('a part that S3 would not take at once is sent again, not fetched again', async () => {
  const refusals = [new BucketError('unavailable', 'SlowDown'), new BucketError('unavailable', 'SlowDown')];
  const { route, seen } = memoryRoute({ store: () => refusals.pop() });
  expect(await copyParts(jobs, options(route))).toBe(true);
  expect(seen.fetched).toBe(source.length);
});

test('after an error that will not pass each runner finishes its present part, and the error is thrown', async () => {
  const refused = new SourceError({ kind: 'refused', reason: '403' });
  let fetches = 0;
  const { route, stored } = memoryRoute({ fetch: () => (++fetches === 2 ? refused : undefined) });
  await expect(copyParts(jobs, options(route))).rejects.toBe(refused);
  expect(stored.size).toBeGreaterThan(0);
  expect(fetches).toBeLessThanOrEqual(5);
});

test('a source that asks for a longer wait than a worker is worth is not waited for', async () => {
  const busy = new SourceError({ kind: 'busy', reason: '429', retryAfterMs: 60_000 });
  const slept: number[] = [];
  const { route } = memoryRoute({ fetch: () => busy });
  const sleep = async (ms: number) => void slept.push(ms);
  await expect(copyParts(jobs, options(route, { sleep, concurrency: 1 }))).rejects.toBe(busy);
  expect(slept).toEqual([]);
});

test('the same error without a byte more is met four times, with growing pauses', async () => {
  const slept: number[] = [];
  const { route } = memoryRoute({ fetch: () => broken('reset') });
  const sleep = async (ms: number) => void slept.push(ms);
  await expect(copyParts(jobs, options(route, { sleep, concurrency: 1 }))).rejects.toThrow('reset');
  expect(slept).toEqual([500, 1000, 2000]);
});
