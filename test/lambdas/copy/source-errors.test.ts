import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { generatedSha256, generatedSlices } from '../../../local/topaz/video.ts';
import { useDatabase } from '../../support/dynamodb.ts';
import { type CopyWorld, PART, SIZE, startCopyWorld } from './copy-world.ts';
import { isPart } from './faulty-proxy.ts';

const database = useDatabase();
let world: CopyWorld;
afterEach(() => world.stop());

/** The probe, then parts. */
const PROBE = 1;

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Upstream keeps a video for so long. */
const DAYS_TO_DOWNLOAD = 7;

async function start(options: { stallMs?: number; resolve?: () => Promise<string[]> } = {}): Promise<void> {
  world = await startCopyWorld({ database: database(), ...options });
}

async function copyWith(faults: unknown[], bytes = SIZE): Promise<string> {
  const requestId = await world.begin(bytes, {
    faults: faults.map((fault) => ({ at: 'download', ...(fault as object) })),
  });
  await world.runAll();
  return requestId;
}

async function expectStored(requestId: string, seed = requestId, size = SIZE): Promise<void> {
  expect(await world.requestOf(requestId)).toMatchObject({ state: 'done', video: { state: 'stored', size } });
  const [key = ''] = await world.objects();
  expect(await world.sha256Of(key)).toBe(generatedSha256(seed, size));
  expect((await world.eventsOf(requestId)).map(({ type }) => type)).toEqual(['video.stored']);
  expect(await world.uploads()).toEqual([]);
}

async function expectFailed(requestId: string, reason: RegExp): Promise<void> {
  const [event, ...others] = await world.eventsOf(requestId);
  expect(others).toEqual([]);
  expect(event).toMatchObject({ type: 'video.store_failed', data: { requestId, sequence: 4 } });
  expect(event?.data.reason).toMatch(reason);
  expect(world.logged.at(-1)).toMatch(/^copy failed/);
  expect(await world.requestOf(requestId)).toMatchObject({ state: 'done', video: { state: 'failed' } });
  expect(await world.uploads()).toEqual([]);
  expect(await world.objects()).toEqual([]);
  expect(world.counted.VideosMissing).toBe(1);
}

describe('a URL that works no more', () => {
  test('revoked in the middle, it is renewed once for all workers, and what was copied stays', async () => {
    await start();
    const size = 10 * PART;
    const requestId = await world.begin(size, {
      faults: [{ at: 'download', kind: 'revoked', status: 403, afterSeconds: 60 }],
    });
    await world.step();
    const segments = await world.due();
    await world.newWorker()(segments[0]!);
    const copied = world.counted.BytesCopied;
    world.clock.advance(61_000);
    await Promise.all(segments.map((segment) => world.newWorker()(segment)));
    expect((await world.due()).length).toBeGreaterThan(0);
    await world.runAll();

    await expectStored(requestId, requestId, size);
    expect((await world.copyOf(requestId)).source.version).toBe(2);
    expect(copied).toBeGreaterThan(0);
    expect(world.counted.BytesCopied).toBe(size);
    expect(world.hints.of('poll')).toHaveLength(1);
  });

  test('before it expires, where that is known, it is renewed without a single refusal', async () => {
    await start();
    const requestId = await world.begin(SIZE, { faults: [{ at: 'download', kind: 'expiry', seconds: 600 }] });
    await world.step();
    world.clock.advance(500_000);
    await world.runAll();
    await expectStored(requestId);
    expect((await world.copyOf(requestId)).source.version).toBe(2);
    expect(world.logged.filter((line) => line.includes('refused'))).toEqual([]);
  });

  test('that lives shortly is used for most of its life, and renewed as often as it takes', async () => {
    await start();
    const requestId = await world.begin(SIZE, { faults: [{ at: 'download', kind: 'expiry', seconds: 60 }] });
    await world.step();
    expect(await world.copyOf(requestId)).toMatchObject({ state: 'copying', source: { version: 1 } });
    world.clock.advance(120_000);
    await world.runAll();
    await expectStored(requestId);
  });

  test('refused again and again though fresh, it ends the copy after hours', async () => {
    await start();
    const begunAt = world.clock.now();
    await expectFailed(
      await copyWith([{ kind: 'http', status: 404 }]),
      /answered 404, after 25 failures in a row/,
    );
    expect(world.clock.now() - begunAt).toBeGreaterThan(3_600_000);
  });

  test('when upstream has no download any more, the copy ends', async () => {
    await start();
    const requestId = await world.begin(SIZE, {
      faults: [
        { at: 'download', kind: 'http', status: 410, skip: PROBE + 2 },
        { at: 'status', kind: 'noDownload', skip: 1 },
      ],
    });
    await world.runAll();
    await expectFailed(requestId, /Topaz no longer offers a download/);
  });

  test('when no fresh one comes for a day, the copy gives up', async () => {
    await start();
    const requestId = await world.begin(SIZE, { faults: [{ at: 'download', kind: 'http', status: 403 }] });
    await world.step();
    const copy = await world.copyOf(requestId);
    expect(copy.urlWantedSince).toBe(world.clock.now());
    expect(copy.dueAt).toBe(world.clock.now() + 86_400_000);
    world.clock.advance(86_400_000);
    await world.newWorker()({ ...copy, dueAt: copy.dueAt! });
    await expectFailed(requestId, /no fresh URL for a day/);
  });
});

describe('other bytes', () => {
  test('under another ETag they are copied from the start, as a new upload', async () => {
    await start();
    const requestId = await copyWith([{ kind: 'changed', skip: PROBE + 2 }]);
    await expectStored(requestId, `${requestId}/changed`);
    expect(await world.copyOf(requestId)).toMatchObject({ generation: 2, restarts: 1 });
  });

  test('of another number are copied from the start, though no ETag shows it', async () => {
    await start();
    const grown = SIZE + PART / 2;
    const server = http.createServer((request, response) => {
      const [, from = 0, to = 0] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '')?.map(Number) ?? [];
      // What the first probe saw is no more.
      const total = from === 0 && to < PART / 2 && !probed ? SIZE : grown;
      probed = true;
      const end = Math.min(to + 1, total);
      const head = { 'content-range': `bytes ${from}-${end - 1}/${total}`, 'content-length': end - from };
      response.writeHead(206, { ...head, 'content-type': 'video/mp4' });
      for (const slice of generatedSlices('grown', from, end)) response.write(slice);
      response.end();
    });
    let probed = false;
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const requestId = await world.begin(SIZE, { url: `http://127.0.0.1:${port}/video.mp4` });
    await world.runAll();
    await expectStored(requestId, 'grown', grown);
    expect(await world.copyOf(requestId)).toMatchObject({ generation: 2, restarts: 1 });
  });
});

test('a source that drips its first bytes is given up like one that is silent', async () => {
  await start({ stallMs: 150 });
  const server = http.createServer((_request, response) => {
    response.writeHead(206, { 'content-range': `bytes 0-4095/${SIZE}`, 'content-type': 'video/mp4' });
    const drip = setInterval(() => response.write('x'), 20);
    response.on('close', () => clearInterval(drip));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const requestId = await world.begin(SIZE, { url: `http://127.0.0.1:${port}/video.mp4` });
  await world.step();
  expect(await world.copyOf(requestId)).toMatchObject({ state: 'pending', consecutiveFailures: 1 });
});

describe('in the last hours before upstream may delete the video', () => {
  test.each([
    ['of a copy that waits', { kind: 'http', status: 503, times: 2 }, 'copy waits'],
    ['of a segment that waits', { kind: 'http', status: 503, skip: PROBE, times: 40 }, 'segment waits'],
    ['by a refused URL', { kind: 'http', status: 403, skip: PROBE, times: 4 }, 'source refused its URL'],
    ['after which a copy begins again', { kind: 'noRange', skip: PROBE, times: 40 }, 'copy begins again'],
  ])('each failure %s is counted, and none before', async (_name, fault, line) => {
    await start();
    const requestId = await world.begin(10 * PART, { faults: [{ at: 'download', ...fault }] });
    await world.step();
    expect(world.counted.CopiesExpiring).toBeUndefined();
    world.clock.advance(DAYS_TO_DOWNLOAD * DAY - 6 * HOUR);
    const before = world.logged.length;
    await world.runAll();
    await expectStored(requestId, requestId, 10 * PART);
    const failures = world.logged.slice(before).filter((each) => /waits|refused|begins again/.test(each));
    expect(failures).toContainEqual(expect.stringContaining(line));
    expect(world.counted.CopiesExpiring).toBe(failures.length);
  });

  /** A copy that has waited for a fresh URL since `ms` before these hours begin, and when they begin. */
  async function waitingSinceBefore(ms: number): Promise<{ requestId: string; expiringAt: number }> {
    await start();
    const expiringAt = world.clock.now() + DAYS_TO_DOWNLOAD * DAY - 6 * HOUR;
    const refused = { at: 'download', kind: 'http', status: 403, times: 1 };
    const requestId = await world.begin(SIZE, { faults: [refused] });
    const { dueAt = 0, ...copy } = await world.copyOf(requestId);
    world.clock.advance(expiringAt - ms - world.clock.now());
    await world.newWorker()({ ...copy, dueAt });
    expect(world.counted.CopiesExpiring).toBeUndefined();
    return { requestId, expiringAt };
  }

  async function whenDue(requestId: string): Promise<number> {
    const { dueAt = 0, ...copy } = await world.copyOf(requestId);
    world.clock.advance(dueAt - world.clock.now());
    await world.newWorker()({ ...copy, dueAt });
    return dueAt;
  }

  test('a copy without a plan that waits for a fresh URL is counted when they begin, and each hour', async () => {
    const { requestId, expiringAt } = await waitingSinceBefore(HOUR);
    expect(await whenDue(requestId)).toBe(expiringAt);
    expect(world.counted.CopiesExpiring).toBe(1);
    expect(world.logged.at(-1)).toMatch(/^copy waits .*no fresh URL yet/);
    expect((await world.requestOf(requestId)).video?.lastError?.reason).toMatch(/no fresh URL yet/);
    expect(await whenDue(requestId)).toBe(expiringAt + HOUR);
    expect(world.counted.CopiesExpiring).toBe(2);
    await world.runAll();
    await expectStored(requestId);
  });

  test('a copy that is counted while it waits still gives up after its day', async () => {
    const { requestId, expiringAt } = await waitingSinceBefore(23 * HOUR);
    expect(await whenDue(requestId)).toBe(expiringAt);
    expect(await whenDue(requestId)).toBe(expiringAt + HOUR);
    await expectFailed(requestId, /no fresh URL for a day/);
  });
});

describe('an answer that is not the range asked for', () => {
  test.each([
    ['cut short', { kind: 'short', missing: 1000 }],
    ['longer than asked for', { kind: 'long' }],
    ['broken off by a reset', { kind: 'reset', afterBytes: PART / 2 }],
    ['reset before its first byte', { kind: 'reset' }],
    ['the whole instead (200)', { kind: 'noRange' }],
    ['busy (503)', { kind: 'http', status: 503 }],
    ['asking for a second (429)', { kind: 'http', status: 429, retryAfter: 1 }],
  ])('%s is asked for again', async (_name, fault) => {
    await start();
    await expectStored(await copyWith([{ ...fault, skip: PROBE, times: 3 }]));
  });

  test('stalled for too long is asked for again, from where it stopped', async () => {
    await start({ stallMs: 150 });
    await expectStored(await copyWith([{ kind: 'stall', skip: PROBE, times: 3, afterBytes: PART / 2 }]));
    expect(world.counted.BytesCopied).toBe(SIZE);
  });

  test('silent after its headers, already when it is first looked at, is given up and asked for again', async () => {
    await start({ stallMs: 150 });
    await expectStored(await copyWith([{ kind: 'stall', times: 2 }]));
    expect(world.logged.filter((line) => /copy waits.*sent nothing for 150 ms/.test(line))).toHaveLength(2);
  });

  test('in chunks of no stated length is read to its last chunk', async () => {
    await start();
    await expectStored(await copyWith([{ kind: 'noLength' }]));
  });

  test('is waited for as long as the source asks', async () => {
    await start();
    const begunAt = world.clock.now();
    await expectStored(
      await copyWith([{ kind: 'http', status: 429, retryAfter: 1800, skip: PROBE, times: 2 }]),
    );
    expect(world.clock.now() - begunAt).toBeGreaterThanOrEqual(1_800_000);
  });

  test('compressed ends the copy at once', async () => {
    await start();
    const begunAt = world.clock.now();
    await expectFailed(await copyWith([{ kind: 'gzip' }]), /compressed \(gzip\) only/);
    expect(world.clock.now()).toBe(begunAt);
  });

  test('for hours ends the copy', async () => {
    await start();
    await expectFailed(
      await copyWith([{ kind: 'http', status: 503, skip: PROBE }]),
      /answered 503, after 25 failures in a row/,
    );
  });
});

describe('a source without ranges', () => {
  test('is streamed by one worker', async () => {
    await start();
    const requestId = await copyWith([{ kind: 'noRange' }]);
    await expectStored(requestId);
    expect(await world.segmentsOf(requestId)).toEqual([]);
  });

  test('and without a length is streamed to its last chunk', async () => {
    await start();
    await expectStored(await copyWith([{ kind: 'noRange' }, { kind: 'noLength' }]));
  });

  test.each([
    ['a length', [{ kind: 'noRange' }]],
    ['none', [{ kind: 'noRange' }, { kind: 'noLength' }]],
  ])('but %s, and below one part, is stored by one PutObject', async (_name, faults) => {
    await start();
    const calls: string[] = [];
    world.setS3Faults(({ method, query }) => {
      if (method === 'POST' || method === 'PUT') calls.push(`${method} ${query.get('x-id')}`);
      return undefined;
    });
    const size = PART / 2 + 3;
    await expectStored(await copyWith(faults, size), undefined, size);
    expect(calls).toEqual(['PUT PutObject']);
    expect(world.counted.BytesCopied).toBe(size);
  });

  test('shows how far it has come, and how fast', async () => {
    await start();
    const requestId = await world.begin(SIZE, { faults: [{ at: 'download', kind: 'noRange' }] });
    const shown: unknown[] = [];
    world.setS3Faults(async (call) => {
      if (!isPart(call)) return undefined;
      const { copiedBytes, bytesPerSecond } = (await world.requestOf(requestId)).video ?? {};
      shown.push([copiedBytes, bytesPerSecond]);
      world.clock.advance(8_000);
      return undefined;
    });
    await world.runAll();
    expect(shown.slice(0, 3)).toEqual([
      [0, 0],
      [PART, PART / 8],
      [2 * PART, PART / 8],
    ]);
  });

  test('that breaks off is streamed again, the first upload being aborted', async () => {
    await start();
    await expectStored(
      await copyWith([
        { kind: 'noRange' },
        { kind: 'reset', skip: PROBE, times: 1, afterBytes: PART + PART / 2 },
      ]),
    );
  });

  test('that sends no byte for a while has not been streamed, and is stored in the end', async () => {
    await start();
    // Every second answer: to the stream after a probe.
    const busy = [0, 1, 2, 3, 4].map((i) => ({ kind: 'http', status: 503, skip: i + PROBE, times: 1 }));
    const requestId = await copyWith([{ kind: 'noRange' }, ...busy]);
    await expectStored(requestId);
    expect(await world.copyOf(requestId)).toMatchObject({ restarts: 0 });
  });

  test('that always breaks off ends the copy', async () => {
    await start();
    const requestId = await copyWith([{ kind: 'noRange' }, { kind: 'reset', afterBytes: PART + PART / 2 }]);
    await expectFailed(requestId, /its one stream broke off.*; the copy had begun again 7 times/);
  });
});

test('a URL that is none ends the copy, and is neither logged nor sent', async () => {
  await start();
  const output = (['stdout', 'stderr'] as const).map((name) => vi.spyOn(process[name], 'write'));
  const requestId = await world.begin(SIZE, { url: 'videos.example.com/secret-path?signature=1' });
  await world.runAll();
  await expectFailed(requestId, /not a complete URL/);
  const written = output.flatMap((spy) => spy.mock.calls.map(([chunk]) => String(chunk)));
  for (const spy of output) spy.mockRestore();
  const told = JSON.stringify([written, world.logged, await world.eventsOf(requestId)]);
  expect(told).not.toContain('secret-path');
});

test('a URL that a session token makes long is used all the same', async () => {
  await start();
  let end = '';
  const server = http.createServer((_request, response) => {
    response.writeHead(302, { location: end }).end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/video.mp4?X-Amz-Security-Token=${'t'.repeat(5000)}`;
  const requestId = await world.begin(SIZE, { url });
  end = (await world.freshDownload(requestId))?.url ?? '';
  await world.runAll();
  server.close();
  await expectStored(requestId);
});

describe('a redirect', () => {
  test('is followed', async () => {
    await start();
    await expectStored(await copyWith([{ kind: 'redirect' }]));
  });

  test('that leads through several others is followed', async () => {
    await start();
    const requestId = await world.begin(SIZE);
    const faults = Array.from({ length: 8 }, () => ({ at: 'download', kind: 'redirect', times: 1 }));
    await world.sim('faults', { faults });
    await world.runAll();
    await expectStored(requestId);
    expect(world.logged.filter((line) => line.includes('copy waits'))).toEqual([]);
  });

  test('that leads in a circle for hours ends the copy', async () => {
    await start();
    const requestId = await world.begin(SIZE);
    const { source } = await world.copyOf(requestId);
    await world.sim('faults', { faults: [{ at: 'download', kind: 'redirect', location: source.url }] });
    await world.runAll();
    await expectFailed(requestId, /redirects more than 10 times, after 25 failures in a row/);
  });

  test('whose end has expired is followed again', async () => {
    await start();
    const requestId = await world.begin(SIZE);
    const end = await world.freshDownload(requestId);
    const faults = [
      { at: 'download', kind: 'redirect', location: end?.url, times: 1 },
      { at: 'download', kind: 'http', status: 403, skip: 3, times: 1 },
    ];
    await world.sim('faults', { faults });
    await world.runAll();
    await expectStored(requestId);
  });

  test('to a name that resolves to a private address is not followed', async () => {
    await start({ resolve: async () => ['10.1.2.3'] });
    const location = 'https://videos.example.com/secret-path?sig=1';
    const requestId = await copyWith([{ kind: 'redirect', location }]);
    await expectFailed(requestId, /no address that the bridge may dial/);
    expect(JSON.stringify([await world.eventsOf(requestId), world.logged])).not.toContain('secret-path');
  });

  test.each([
    ['http://example.com/video.mp4', /not encrypted/],
    ['https://10.0.0.1/video.mp4', /not public/],
    ['https://localhost.internal/video.mp4', /private/],
  ])('to %s is refused', async (location, reason) => {
    await start();
    await expectFailed(await copyWith([{ kind: 'redirect', location }]), reason);
  });
});

test('a redirect to a name that resolves to a private address is not followed', async () => {
  await start({ resolve: async () => ['10.1.2.3'] });
  const location = 'https://videos.example.com/secret-path?sig=1';
  const requestId = await copyWith([{ kind: 'redirect', location }]);
  await expectFailed(requestId, /no address that the bridge may dial/);
  expect(JSON.stringify([world.logged, await world.eventsOf(requestId)])).not.toContain('secret-path');
});

describe('what is no video', () => {
  test('an error page under status 200 is refused', async () => {
    await start();
    await expectFailed(await copyWith([{ kind: 'html' }]), /begins like a page/);
  });

  test('an empty file is refused', async () => {
    await start();
    await expectFailed(await copyWith([], 0), /empty/);
  });

  test('a name that resolves to a private address is not dialed', async () => {
    await start({ resolve: async () => ['10.1.2.3'] });
    const requestId = await world.begin(SIZE, { url: 'https://videos.example.com/secret-path?sig=1' });
    await world.runAll();
    await expectFailed(requestId, /no address that the bridge may dial/);
    expect(JSON.stringify(await world.eventsOf(requestId))).not.toContain('secret-path');
  });
});

test('a video larger than a worker can copy fails at once, and its reason names the remedy', async () => {
  await start();
  const begunAt = world.clock.now();
  const server = http.createServer((_request, response) => {
    response.writeHead(206, { 'content-range': 'bytes 0-1023/99999999999', 'content-length': 1024 });
    for (const slice of generatedSlices('large', 0, 1024)) response.write(slice);
    response.end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const requestId = await world.begin(SIZE, { url: `http://127.0.0.1:${port}/video.mp4` });
  await world.runAll();
  await expectFailed(
    requestId,
    /the video has 99999999999 bytes, and the bridge copies at most 10485760000: download it from Topaz/,
  );
  expect(world.clock.now()).toBe(begunAt);
});
