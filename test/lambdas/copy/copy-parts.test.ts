import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createBuffers } from '../../../lambdas/copy/buffers.ts';
import { copyParts, type PartRoute, type PartsOptions } from '../../../lambdas/copy/copy-parts.ts';
import { broken, SourceTrouble } from '../../../lambdas/copy/source/source-error.ts';
import { SinkTrouble } from '../../../lambdas/copy/uploads/bucket-error.ts';
import { combineCrc32 } from '../../../lambdas/domain/copying/crc32.ts';

const source = Buffer.from(Array.from({ length: 1000 }, (_, i) => (i * 31) % 251));
const PART = 100;
const jobs = Array.from({ length: 10 }, (_, i) => ({ number: i + 1, start: i * PART, length: PART }));

/** A route within memory, and what it has stored. */
function memoryRoute(
  trouble: { fetch?: () => number | Error | undefined; store?: () => Error | undefined } = {},
) {
  const stored = new Map<number, Buffer>();
  const seen = { fetching: 0, mostFetching: 0, fetched: 0 };
  const route: PartRoute = {
    fetch: async ({ start, length }, into) => {
      seen.mostFetching = Math.max(seen.mostFetching, ++seen.fetching);
      await new Promise(setImmediate);
      seen.fetching--;
      const fault = trouble.fetch?.();
      if (fault instanceof Error) throw fault;
      const rest = length - into.filled;
      const given = Math.min(rest, fault ?? rest);
      source.copy(into.bytes, into.filled, start + into.filled, start + into.filled + given);
      into.filled += given;
      seen.fetched += given;
      if (given < rest) throw broken('cut');
    },
    store: async (part, body, crc) => {
      const fault = trouble.store?.();
      if (fault) throw fault;
      if (crc !== crc32(body)) throw new SinkTrouble('corrupt', 'BadDigest');
      stored.set(part, Buffer.from(body));
    },
    storePieces: async ({ number, length }, pieces) => {
      const all: Buffer[] = [];
      for await (const piece of pieces) all.push(Buffer.from(piece));
      const fault = trouble.store?.();
      if (fault) throw fault;
      const whole = Buffer.concat(all);
      expect(whole.length).toBe(length);
      stored.set(number, whole);
      return crc32(whole);
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
  pause: async () => {},
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

test('a part whose checksum is refused is fetched anew', async () => {
  const refusals = [new SinkTrouble('corrupt', 'BadDigest'), new SinkTrouble('corrupt', 'BadDigest')];
  const { route, whole, seen } = memoryRoute({ store: () => refusals.pop() });
  expect(await copyParts(jobs, options(route))).toBe(true);
  expect(whole().equals(source)).toBe(true);
  expect(seen.fetched).toBe(source.length + 2 * PART);
});

test('a part that S3 would not take at once is sent again, not fetched again', async () => {
  const refusals = [new SinkTrouble('busy', 'SlowDown'), new SinkTrouble('busy', 'SlowDown')];
  const { route, seen } = memoryRoute({ store: () => refusals.pop() });
  expect(await copyParts(jobs, options(route))).toBe(true);
  expect(seen.fetched).toBe(source.length);
});

test('a trouble that will not pass ends all lanes after their present part, and is thrown', async () => {
  const refused = new SourceTrouble({ kind: 'refused', reason: '403' });
  let fetches = 0;
  const { route, stored } = memoryRoute({ fetch: () => (++fetches === 2 ? refused : undefined) });
  await expect(copyParts(jobs, options(route))).rejects.toBe(refused);
  expect(stored.size).toBeGreaterThan(0);
  expect(fetches).toBeLessThanOrEqual(5);
});

test('a source that asks for a longer wait than a worker is worth is not waited for', async () => {
  const busy = new SourceTrouble({ kind: 'busy', reason: '429', retryAfterMs: 60_000 });
  const pauses: number[] = [];
  const { route } = memoryRoute({ fetch: () => busy });
  const pause = async (ms: number) => void pauses.push(ms);
  await expect(copyParts(jobs, options(route, { pause, concurrency: 1 }))).rejects.toBe(busy);
  expect(pauses).toEqual([]);
});

test('the same trouble without a byte more is met four times, with growing pauses', async () => {
  const pauses: number[] = [];
  const { route } = memoryRoute({ fetch: () => broken('reset') });
  const pause = async (ms: number) => void pauses.push(ms);
  await expect(copyParts(jobs, options(route, { pause, concurrency: 1 }))).rejects.toThrow('reset');
  expect(pauses).toEqual([500, 1000, 2000]);
});

describe('parts larger than the memory', () => {
  test('pass through it in pieces', async () => {
    const sizes = new Set<number>();
    const buffers = createBuffers();
    const { route, whole } = memoryRoute();
    const take = (bytes: number) => {
      sizes.add(bytes);
      return buffers.take(bytes);
    };
    expect(await copyParts(jobs, options(route, { bufferBytes: 32, buffers: { ...buffers, take } }))).toBe(
      true,
    );
    expect(whole().equals(source)).toBe(true);
    expect([...sizes]).toEqual([32]);
  });

  test('are sent anew when their end is refused, or the checksum is another', async () => {
    const refusals = [new SinkTrouble('busy', 'SlowDown'), new SinkTrouble('corrupt', 'x')];
    const { route, whole } = memoryRoute({ store: () => refusals.pop() });
    expect(await copyParts(jobs, options(route, { bufferBytes: 32 }))).toBe(true);
    expect(whole().equals(source)).toBe(true);
    const wrong: PartRoute = {
      ...route,
      storePieces: async (_job, pieces) => {
        for await (const _ of pieces);
        return 1;
      },
    };
    await expect(copyParts(jobs, options(wrong, { bufferBytes: 32 }))).rejects.toThrow('another checksum');
  });

  test('have the checksum of their pieces', () => {
    const [a, b] = [source.subarray(0, 70), source.subarray(70)];
    expect(combineCrc32(crc32(a), crc32(b), b.length)).toBe(crc32(source));
  });
});
