import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { copyKey } from '../../lambdas/domain/rows.ts';
import { generatedSha256, generatedSlices } from '../../local/topaz/video.ts';
import { type CopyWorld, PART, SIZE, startCopyWorld } from '../lambdas/copy/copy-world.ts';
import { useDatabase } from '../support/dynamodb.ts';

const database = useDatabase();
let world: CopyWorld;
beforeEach(async () => {
  world = await startCopyWorld({ database: database() });
});
afterEach(() => world.stop());

/** The bytes that were asked for: start and end (exclusive). */
function askedFor({ headers }: IncomingMessage): [number, number] | undefined {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
  return from === undefined ? undefined : [Number(from), Math.min(Number(to) + 1, SIZE)];
}

function send(response: ServerResponse, [start, end]: [number, number]): void {
  for (const slice of generatedSlices('video', start, end)) response.write(slice);
  response.end();
}

/** A server of a video of {@link SIZE} that answers ranges and wholes, but for what `odd` does instead. */
async function serve(
  odd: (request: IncomingMessage, response: ServerResponse) => boolean | undefined,
): Promise<string> {
  const server = http.createServer((request, response) => {
    if (odd(request, response)) return;
    const asked = askedFor(request);
    const [start, end] = asked ?? [0, SIZE];
    response.writeHead(asked ? 206 : 200, {
      'content-type': 'video/mp4',
      'content-length': end - start,
      ...(asked ? { 'content-range': `bytes ${start}-${end - 1}/${SIZE}` } : {}),
    });
    send(response, [start, end]);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function copied(url: string): Promise<string> {
  const requestId = await world.begin(PART / 2, { url });
  await world.runAll();
  return requestId;
}

async function expectStored(requestId: string, seed = 'video', size = SIZE): Promise<string> {
  const { video } = await world.requestOf(requestId);
  expect(video).toMatchObject({ state: 'stored', size });
  expect(await world.sha256Of(video?.key ?? '')).toBe(generatedSha256(seed, size));
  expect(await world.uploads()).toEqual([]);
  return video?.key ?? '';
}

// https://github.com/lexiforest/curl_cffi/issues/564: R2's presigned URLs answer with the encoding that the
// uploader's SDK had used on its way.
test('a Content-Encoding of aws-chunked encodes nothing, and the video is stored', async () => {
  const origin = await serve((_request, response) => {
    response.setHeader('content-encoding', 'aws-chunked');
    return false;
  });
  await expectStored(await copied(`${origin}/video.mp4`));
});

// https://github.com/remotion-dev/remotion/issues/671: a render is complete, and its file answers 404 for a while.
describe('a video that is complete before it can be fetched is waited for', () => {
  test.each([
    ['404', { kind: 'http', status: 404 }],
    ['403', { kind: 'http', status: 403 }],
    ['a page with status 200', { kind: 'html' }],
  ])('when it answers %s for an hour', async (_name, fault) => {
    const faults = [{ at: 'download', ...fault, forSeconds: 3_600 }];
    const requestId = await world.begin(PART / 2, { faults });
    await world.runAll();
    await expectStored(requestId, requestId, PART / 2);
  });

  test('when fresh URLs come faster than it is tried, since a person polls by hand', async () => {
    const faults = [{ at: 'download', kind: 'http', status: 404, forSeconds: 1_200 }];
    const requestId = await world.begin(PART / 2, { faults });
    await database().table.write({ update: copyKey(requestId), set: { consecutiveFailures: 40 } });
    await world.runAll();
    await expectStored(requestId, requestId, PART / 2);
  });

  test.each([202, 204])('when it answers %i for an hour', async (status) => {
    const until = world.clock.now() + 3_600_000;
    const origin = await serve((_request, response) => {
      if (world.clock.now() >= until) return false;
      response.writeHead(status).end();
      return true;
    });
    await expectStored(await copied(`${origin}/video.mp4`));
  });

  test('when it redirects to a page to log in for an hour', async () => {
    const until = world.clock.now() + 3_600_000;
    const origin = await serve(({ url }, response) => {
      if (url === '/login') response.writeHead(200).end('<html><body>Log in</body></html>');
      else if (world.clock.now() < until) response.writeHead(302, { location: '/login' }).end();
      else return false;
      return true;
    });
    await expectStored(await copied(`${origin}/video.mp4`));
  });

  test('and says why meanwhile', async () => {
    const requestId = await world.begin(PART / 2, { faults: [{ at: 'download', kind: 'html' }] });
    await world.step();
    expect((await world.requestOf(requestId)).video).toEqual({
      state: 'pending',
      lastError: {
        at: world.clock.now(),
        reason: 'the source begins like a page or an error message, not a video',
      },
    });
  });
});

// https://github.com/aws/aws-sdk-js-v3/issues/7571: CloudFront's signer leaves blanks of the key as they are.
test('a URL with blanks is fetched as browsers do', async () => {
  const seen = new Set<string | undefined>();
  const origin = await serve(({ url }) => void seen.add(url));
  const key = await expectStored(await copied(`${origin}/My Film.mp4?Signature=a b`));
  expect([...seen]).toEqual(['/My%20Film.mp4?Signature=a%20b']);
  expect(key).toMatch(/\/My-Film\.mp4$/);
});

// https://github.com/xroche/httrack/pull/441: a redirect leads to a URL with a fragment, which no server takes.
test('the fragment of a URL and of a redirect is not sent', async () => {
  const seen = new Set<string | undefined>();
  const origin = await serve(({ url }, response) => {
    seen.add(url);
    if (url !== '/start') return false;
    response.writeHead(302, { location: '/video.mp4#t=10' }).end();
    return true;
  });
  await expectStored(await copied(`${origin}/start#here`));
  expect([...seen]).toEqual(['/start', '/video.mp4']);
});

// https://github.com/nodejs/node/issues/7928: raw UTF-8 in Location is read one character a byte.
test('a redirect in raw UTF-8 leads where it says', async () => {
  const seen = new Set<string | undefined>();
  const origin = await serve(({ url }, response) => {
    seen.add(url);
    if (url !== '/start') return false;
    response.writeHead(302, { location: Buffer.from('/видео.mp4').toString('latin1') }).end();
    return true;
  });
  await expectStored(await copied(`${origin}/start`));
  expect([...seen]).toEqual(['/start', encodeURI('/видео.mp4')]);
});

// https://github.com/apache/opendal/issues/5689: a 206 holds less than was asked for.
test('a source whose ranges are shorter than asked is copied by one plain GET', async () => {
  const origin = await serve((request, response) => {
    const asked = askedFor(request);
    if (!asked || asked[1] - asked[0] <= PART / 2) return false;
    const [start] = asked;
    const end = start + PART / 2;
    response.writeHead(206, {
      'content-length': PART / 2,
      'content-range': `bytes ${start}-${end - 1}/${SIZE}`,
    });
    send(response, [start, end]);
    return true;
  });
  await expectStored(await copied(`${origin}/video.mp4`));
});

// https://github.com/pivotal-cf/pivnet-cli/issues/42: a proxy turns 206 into 200, over the bytes of the range.
test.each([0, PART])(
  'a source that answers ranges from byte %i on with 200 is copied by one plain GET',
  async (from) => {
    const origin = await serve((request, response) => {
      const asked = askedFor(request);
      if (!asked || asked[0] < from) return false;
      const [start, end] = asked;
      response.writeHead(200, { 'content-length': end - start, 'content-type': 'video/mp4' });
      send(response, asked);
      return true;
    });
    await expectStored(await copied(`${origin}/video.mp4`));
  },
);

// https://github.com/bezzad/Downloader/issues/220: servers refuse ranges with an error, and serve the whole.
test.each(
  [400, 403, 405, 406, 500, 501].flatMap((status) => [0, PART].map((from) => [status, from] as const)),
)('a source that answers %i to ranges from byte %i on is copied by one plain GET', async (status, from) => {
  const origin = await serve((request, response) => {
    const asked = askedFor(request);
    if (!asked || asked[0] < from) return false;
    response.writeHead(status).end();
    return true;
  });
  await expectStored(await copied(`${origin}/video.mp4`));
  expect(world.hints.of('poll')).toEqual([]);
});

test('a source without ranges that answers the whole as if it were one is copied by a plain GET', async () => {
  const origin = await serve((_request, response) => {
    response.writeHead(206, {
      'content-type': 'video/mp4',
      'content-length': SIZE,
      'content-range': `bytes 0-${SIZE - 1}/${SIZE}`,
    });
    send(response, [0, SIZE]);
    return true;
  });
  await expectStored(await copied(`${origin}/video.mp4`));
});

// https://github.com/mitxp/HbbTV-Testsuite/issues/16: a CDN answers one range with several.
test.each<[string, (response: ServerResponse) => void]>([
  [
    'several ranges at once',
    (response) =>
      response
        .writeHead(206, { 'content-type': 'multipart/byteranges; boundary=b' })
        .end(`--b\r\ncontent-range: bytes 0-1/${SIZE}\r\n\r\nab\r\n--b--\r\n`),
  ],
])('a source that answers ranges with %s is copied by one plain GET', async (_, answer) => {
  const origin = await serve((request, response) => {
    if (!askedFor(request)) return false;
    answer(response);
    return true;
  });
  await expectStored(await copied(`${origin}/video.mp4`));
});

// https://github.com/bitfireAT/davx5-ose/issues/1365: mail.de answers 412 to its own ETag.
test('a source that refuses its own ETag is copied by one plain GET', async () => {
  const origin = await serve((request, response) => {
    response.setHeader('etag', '"67f4ce74-66157"');
    if (request.headers['if-match'] === undefined) return false;
    response.writeHead(412).end();
    return true;
  });
  await expectStored(await copied(`${origin}/video.mp4`));
});

// https://github.com/781flyingdutchman/background_downloader/issues/541: each node of a CDN has its own ETag.
test('a source with an ETag for each node is copied by one plain GET, so no two ETags are mixed', async () => {
  let answers = 0;
  const wholes: (string | undefined)[] = [];
  const origin = await serve((request, response) => {
    response.setHeader('etag', `"node-${++answers}"`);
    if (!askedFor(request)) wholes.push(request.headers['if-match']);
    return false;
  });
  const requestId = await copied(`${origin}/video.mp4`);
  await expectStored(requestId);
  expect(wholes).toEqual([undefined]);
  expect((await world.copyOf(requestId)).content?.etag).toBe(`"node-${answers}"`);
});

// https://github.com/minio/minio/issues/6280: a store gives the type that an uploader guessed.
test.each([
  ['unknown/unknown', 'video/mp4'],
  ['text/html', 'video/mp4'],
  ['video/mp4,text/html', 'video/mp4'],
  ['vid\u00e9o/mp4', 'video/mp4'],
])('a video that is given as %j is stored as what its bytes are', async (given, stored) => {
  const origin = await serve((request, response) => {
    const [start, end] = askedFor(request) ?? [0, SIZE];
    response.writeHead(206, {
      'content-type': given,
      'content-length': end - start,
      'content-range': `bytes ${start}-${end - 1}/${SIZE}`,
    });
    send(response, [start, end]);
    return true;
  });
  const key = await expectStored(await copied(`${origin}/video.mp4`));
  expect((await world.head(key)).ContentType).toBe(stored);
});
