import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createTopaz } from '../../../lambdas/poll/topaz.ts';

const NOW = Date.parse('2026-11-23T20:00:00Z');
const REQUEST_ID = 'cc5940bf-42b5-489d-a2dd-601d7848b1a0';

/** The adapter before a server that answers this way; `keys` are what the secret holds, read by read. */
async function setUp(
  answer: RequestListener,
  { keys = ['topaz-key'] as (string | Error)[], timeoutMs = 10_000 } = {},
) {
  const seen: { path: string; key: unknown }[] = [];
  const server = createServer((request, response) => {
    seen.push({ path: request.url ?? '', key: request.headers['x-api-key'] });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const reads = [...keys];
  const topaz = createTopaz({
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    apiKey: async () => {
      const key = reads.length > 1 ? reads.shift() : reads[0];
      if (typeof key !== 'string') throw key;
      return key;
    },
    fetch,
    now: () => NOW,
    timeoutMs,
  });
  return { ask: () => topaz.status(REQUEST_ID), seen };
}

const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}): RequestListener =>
  (_, response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

test('the key goes along in its header, without the white space around it', async () => {
  const { ask, seen } = await setUp(json({ status: 'accepted' }), { keys: ['topaz-key\n'] });
  await ask();
  expect(seen).toEqual([{ path: `/video/${REQUEST_ID}/status`, key: 'topaz-key' }]);
});

test('an answer is read as far as its types are right, without unknown fields', async () => {
  const { ask } = await setUp(
    json({
      status: 'processing',
      progress: '12',
      estimates: { cost: [1, 2], time: 'soon' },
      outputSize: '10 GB',
      averageFps: 4.5,
      novelty: true,
    }),
  );
  const outcome = await ask();
  expect(outcome).toEqual({
    kind: 'status',
    status: { status: 'processing', estimates: { cost: [1, 2] }, outputSize: '10 GB', averageFps: 4.5 },
  });
});

test('numbers, texts and lists are kept within what a row and a webhook can carry', async () => {
  const long = 'ä'.repeat(200_000);
  const nested = '['.repeat(1_000) + ']'.repeat(1_000);
  const job = `{"status":"processing","progress":1e300,"chunkIndex":2,"deep":${nested}}`;
  const { ask } = await setUp((_, response) =>
    response.end(`{
      "status": "failed\\ud800", "progress": 1e300, "averageFps": 1e-200, "combinedFps": -1e20,
      "estimates": {"time": [1, 1e99]}, "outputSize": 1e30, "errorCode": "${long}",
      "processingJobs": [${Array(20).fill(job)}],
      "download": {"url": "https://store/x", "expiresIn": 1e300}
    }`),
  );
  const most = Number.MAX_SAFE_INTEGER;
  expect(await ask()).toEqual({
    kind: 'status',
    status: {
      status: 'failed\ufffd',
      progress: most,
      averageFps: 0,
      combinedFps: -most,
      estimates: { time: [1, most] },
      outputSize: most,
      errorCode: 'ä'.repeat(64),
      processingJobs: Array(8).fill({ status: 'processing', progress: most, chunkIndex: 2 }),
      download: { url: 'https://store/x', expiresAt: most },
    },
  });
});

test('a download whose URL is longer than the copy would fetch is none, a long one is one', async () => {
  const download = (characters: number) => ({ url: `https://store/${'x'.repeat(characters)}` });
  const long = await setUp(json({ status: 'complete', download: download(16_000) }));
  expect(await long.ask()).toMatchObject({ status: { status: 'complete', download: download(16_000) } });
  const tooLong = await setUp(json({ status: 'complete', download: download(17_000) }));
  expect(await tooLong.ask()).toEqual({ kind: 'status', status: { status: 'complete' } });
});

test.each([
  ['its expiry', { expiresAt: NOW + 5, expiresIn: 7 }, NOW + 5],
  ['how long it lives', { expiresIn: 7_000 }, NOW + 7_000],
  ['neither', {}, undefined],
])('a download that tells %s is kept with its expiry, if any', async (_, told, expiresAt) => {
  const { ask } = await setUp(json({ status: 'complete', download: { url: 'https://store/x', ...told } }));
  expect(await ask()).toMatchObject({ status: { download: { url: 'https://store/x' } } });
  expect((await ask()) as object).toHaveProperty('status.download', {
    url: 'https://store/x',
    ...(expiresAt && { expiresAt }),
  });
});

test.each([
  ['seconds', '30', 30_000],
  ['a date', 'Mon, 23 Nov 2026 20:01:00 GMT', 60_000],
  ['nothing readable', 'soon', undefined],
])('429 with %s as Retry-After', async (_, header, retryAfterMs) => {
  const { ask } = await setUp(json({}, 429, { 'retry-after': header }));
  expect(await ask()).toEqual({ kind: 'pause', reason: 'throttled', retryAfterMs });
});

test('a refused key is read again, and used again only if it has changed', async () => {
  const refused = await setUp(json({}, 401), { keys: ['old'] });
  expect(await refused.ask()).toEqual({ kind: 'pause', reason: 'unauthorized' });
  expect(refused.seen).toHaveLength(1);

  const mended = await setUp(
    (request, response) =>
      json({ status: 'accepted' }, request.headers['x-api-key'] === 'new' ? 200 : 403)(request, response),
    { keys: ['old', 'new'] },
  );
  expect(await mended.ask()).toMatchObject({ kind: 'status', status: { status: 'accepted' } });
  expect(mended.seen.map(({ key }) => key)).toEqual(['old', 'new']);
});

test.each([
  [
    'the placeholder',
    '{"placeholder":"…"}',
    'the secret holds no Topaz API key: put yours in place of its text',
  ],
  ['unreadable', new Error('secret details'), 'the secret of the Topaz API key cannot be read: Error'],
  ['two lines', 'a\nb', 'the secret holds no Topaz API key: put yours in place of its text'],
])('without a usable key (%s) upstream is not asked', async (_, key, detail) => {
  const { ask, seen } = await setUp(json({ status: 'accepted' }), { keys: [key] });
  expect(await ask()).toEqual({ kind: 'pause', reason: 'no-key', detail });
  expect(seen).toEqual([]);
});

test.each([
  [503, 'throttled'],
  [401, 'unauthorized'],
])('the status %i counts, however large or broken its body is', async (status, reason) => {
  const large = await setUp((_, response) =>
    response.writeHead(status, { 'retry-after': '7' }).end(Buffer.alloc(2 * 1024 ** 2)),
  );
  expect(await large.ask()).toMatchObject({ kind: 'pause', reason });

  const broken = await setUp((_, response) => {
    response.writeHead(status, { 'content-length': '100', 'retry-after': '7' }).write('{"message":');
    setImmediate(() => response.destroy());
  });
  expect(await broken.ask()).toMatchObject({ kind: 'pause', reason });
});

test('asking again with a new key takes no more time than asking once', async () => {
  const deadline = new AbortController();
  const { ask, seen } = await setUp(
    (request, response) => {
      if (request.headers['x-api-key'] === 'old') json({}, 401)(request, response);
      else if (seen.length === 3) deadline.abort(new DOMException('late', 'TimeoutError'));
    },
    { keys: ['old', 'new'], timeoutMs: 1_000 },
  );
  const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(deadline.signal);
  onTestFinished(() => timeout.mockRestore());
  expect(await ask()).toEqual({ kind: 'fault', reason: 'Topaz did not answer in time' });
  expect(seen.map(({ key }) => key)).toEqual(['old', 'new', 'new']);
  expect(timeout.mock.calls).toEqual([[1_000]]);
});

test('an answer of more than a mebibyte is given up, also when it is compressed', async () => {
  const { gzipSync } = await import('node:zlib');
  const { ask } = await setUp((_, response) =>
    response
      .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
      .end(gzipSync(Buffer.alloc(4 * 1024 ** 2, 'x'))),
  );
  expect(await ask()).toEqual({ kind: 'fault', reason: 'the answer is larger than 1048576 bytes' });
});

test('an answer that ends early is a fault', async () => {
  const { ask } = await setUp((_, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('{"status":');
    setImmediate(() => response.destroy());
  });
  expect(await ask()).toMatchObject({ kind: 'fault' });
});

test.each([
  ['a byte order mark', '\ufeff{"status": "processing", "progress": 12}', 12],
  [
    'two byte order marks and a blank of another kind',
    '\ufeff\ufeff\u00a0{"status": "processing", "progress": 3}',
    3,
  ],
  [
    'what C prints for no number',
    '{"averageFps": -nan, "combinedFps": +inf, "message": "nan \\\\", "status": "processing", "progress": 8}',
    8,
  ],
  [
    'NaN where a number should be',
    '{"status": "processing", "progress": NaN, "message": "NaN \\" NaN"}',
    undefined,
  ],
  ['an infinite number', '{"status": "processing", "averageFps": -Infinity, "progress": 7}', 7],
])('%s in the answer does not spoil it', async (_, body, progress) => {
  const topaz = createTopaz({
    baseUrl: 'https://upstream.example',
    apiKey: async () => 'key',
    fetch: async () => new Response(body),
    now: () => 0,
  });
  expect(await topaz.status('id')).toMatchObject({ kind: 'status', status: { status: 'processing' } });
  const answer = await topaz.status('id');
  expect(answer.kind === 'status' && answer.status.progress).toBe(progress);
});

test('NUL in a text of the answer reaches no event, since many databases refuse it', async () => {
  const { ask } = await setUp(json({ status: 'paused\0', message: 'a\0b', errorCode: '\0' }));
  expect(await ask()).toEqual({
    kind: 'status',
    status: { status: 'paused\ufffd', message: 'a\ufffdb', errorCode: '\ufffd' },
  });
});

test('a connection that was closed while the process was frozen costs a second try, not a fault', async () => {
  let tries = 0;
  const server = createServer((request, response) => {
    tries++;
    if (tries === 1) request.socket.destroy();
    else response.end('{"status": "processing"}');
  });
  server.listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  onTestFinished(() => void server.close());
  const topaz = createTopaz({
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    apiKey: async () => 'key',
    fetch,
    now: () => 0,
  });
  expect(await topaz.status('id')).toMatchObject({ kind: 'status', status: { status: 'processing' } });
  expect(tries).toBe(2);
});

test('a connection that never answers is given up in time for a second try', async () => {
  let tries = 0;
  const topaz = createTopaz({
    baseUrl: 'https://upstream.example',
    apiKey: async () => 'key',
    fetch: async (_url, init) => {
      tries++;
      if (tries > 1) return new Response('{"status": "processing"}');
      return new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
      });
    },
    now: () => 0,
    timeoutMs: 200,
  });
  expect(await topaz.status('id')).toMatchObject({ kind: 'status' });
  expect(tries).toBe(2);
});

test('an upstream that answers slowly is not cut off by the second try', async () => {
  let tries = 0;
  let answerFirst = (_response: Response) => {};
  let secondAborted = false;
  const topaz = createTopaz({
    baseUrl: 'https://upstream.example',
    apiKey: async () => 'key',
    fetch: (_url, init) => {
      tries++;
      if (tries === 1) return new Promise((resolve) => (answerFirst = resolve));
      answerFirst(new Response('{"status": "processing"}'));
      return new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => {
          secondAborted = true;
          reject(init.signal?.reason);
        });
      });
    },
    now: () => 0,
    timeoutMs: 1_000,
  });
  expect(await topaz.status('id')).toMatchObject({ kind: 'status', status: { status: 'processing' } });
  expect([tries, secondAborted]).toEqual([2, true]);
});
