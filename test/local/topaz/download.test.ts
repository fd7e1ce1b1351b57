import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { generatedSha256 } from '../../../local/topaz/video.ts';
import { finished, http, REQUEST_ID, simulatedTopaz } from './simulated-topaz.ts';

const SIZE = 150_000;

async function withVideo(job: Record<string, unknown> = {}) {
  const topaz = await simulatedTopaz();
  await topaz.set({ trace: finished(), bytes: SIZE, ...job });
  return { topaz, url: await topaz.downloadUrl() };
}

describe('a download', () => {
  test('serves the whole video with type, length and a strong ETag', async () => {
    const { url } = await withVideo();
    const { status, headers, body } = await http(url);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'video/mp4',
      'content-length': String(SIZE),
      'accept-ranges': 'bytes',
      etag: expect.stringMatching(/^"[^"]+"$/),
    });
    expect(createHash('sha256').update(body).digest('hex')).toBe(generatedSha256(REQUEST_ID, SIZE));
  });

  test('serves a playable video unless a number of bytes is asked for', async () => {
    const topaz = await simulatedTopaz();
    await topaz.set({ trace: finished() });
    const { body } = await http(await topaz.downloadUrl());
    expect(body.includes('avc1')).toBe(true);
  });

  test('serves ranges that join to the whole', async () => {
    const { url } = await withVideo();
    const whole = await http(url);
    const head = await http(url, { range: 'bytes=0-69999' });
    const tail = await http(url, { range: 'bytes=70000-' });
    expect([head.status, tail.status]).toEqual([206, 206]);
    expect(tail.headers['content-range']).toBe(`bytes 70000-149999/${SIZE}`);
    expect(tail.headers['content-length']).toBe('80000');
    expect(tail.headers.etag).toBe(whole.headers.etag);
    expect(Buffer.concat([head.body, tail.body]).equals(whole.body)).toBe(true);
  });

  test('answers 416 with the size to a range beyond the end', async () => {
    const { url } = await withVideo();
    const { status, headers } = await http(url, { range: `bytes=${SIZE}-` });
    expect([status, headers['content-range']]).toEqual([416, `bytes */${SIZE}`]);
  });

  test('answers 412 when If-Match names another ETag, and the bytes when it names this one', async () => {
    const { url } = await withVideo();
    const { etag } = (await http(url)).headers;
    expect((await http(url, { 'if-match': '"other"' })).status).toBe(412);
    expect((await http(url, { 'if-match': etag!, range: 'bytes=0-0' })).status).toBe(206);
  });

  test('refuses HEAD, for which nothing was signed', async () => {
    const { url } = await withVideo();
    const { status, body } = await http(url, {}, 'HEAD');
    expect([status, body.length]).toEqual([403, 0]);
  });

  test.each([
    ['the signature', (url: URL) => url.searchParams.set('signature', '00'.repeat(32))],
    ['the expiry', (url: URL) => url.searchParams.set('expiresAt', '9999999999999')],
    ['the job', (url: URL) => (url.pathname = url.pathname.replace('cc5940bf', 'cc5940be'))],
    ['nothing but drops the signature', (url: URL) => url.searchParams.delete('signature')],
  ])('refuses in XML a URL that changes %s', async (_, tamper) => {
    const { url } = await withVideo();
    const tampered = new URL(url);
    tamper(tampered);
    const { status, headers, body } = await http(String(tampered));
    expect([status, headers['content-type']]).toEqual([403, 'application/xml']);
    expect(body.toString()).toContain('<Code>SignatureDoesNotMatch</Code>');
  });

  test('refuses a URL from the moment that it expires', async () => {
    const { topaz, url } = await withVideo();
    topaz.wait(24 * 3600 - 1);
    expect((await http(url)).status).toBe(200);
    topaz.wait(1);
    const { status, body } = await http(url);
    expect(status).toBe(403);
    expect(body.toString()).toContain('Request has expired');
  });
});

describe('a download fault', () => {
  const withFaults = (...faults: Record<string, unknown>[]) =>
    withVideo({ faults: faults.map((fault) => ({ at: 'download', ...fault })) });

  test.each([404, 410, 429, 503])('http answers %i in XML', async (status) => {
    const { url } = await withFaults({ kind: 'http', status, retryAfter: 7, times: 1 });
    const answer = await http(url);
    expect([answer.status, answer.headers['retry-after']]).toEqual([status, '7']);
    expect((await http(url)).status).toBe(200);
  });

  test('expiry shortens the life of new URLs', async () => {
    const { topaz, url } = await withFaults({ kind: 'expiry', seconds: 30 });
    expect((await topaz.status()).download!.expiresIn).toBe(30_000);
    topaz.wait(30);
    expect((await http(url)).status).toBe(403);
  });

  test.each([403, 410])('revoked answers %i to older URLs and lets newer ones work', async (status) => {
    const { topaz, url } = await withFaults({ kind: 'revoked', status, afterSeconds: 60 });
    expect((await http(url)).status).toBe(200);
    topaz.wait(60);
    expect((await http(url)).status).toBe(status);
    expect((await http(await topaz.downloadUrl())).status).toBe(200);
  });

  test('changed gives other bytes of the same size under another ETag', async () => {
    const { topaz, url } = await withFaults({ kind: 'changed', afterSeconds: 5 });
    const before = await http(url);
    topaz.wait(5);
    const after = await http(url);
    expect(after.headers.etag).not.toBe(before.headers.etag);
    expect(after.body.length).toBe(SIZE);
    expect(after.body.equals(before.body)).toBe(false);
    expect((await http(url, { 'if-match': before.headers.etag! })).status).toBe(412);
  });

  test('noRange answers a range with the whole', async () => {
    const { url } = await withFaults({ kind: 'noRange' });
    const { status, headers, body } = await http(url, { range: 'bytes=0-0' });
    expect([status, headers['accept-ranges'], body.length]).toEqual([200, undefined, SIZE]);
  });

  test('noLength sends chunks without a length', async () => {
    const { url } = await withFaults({ kind: 'noLength' });
    const { headers, body } = await http(url);
    expect([headers['content-length'], headers['transfer-encoding']]).toEqual([undefined, 'chunked']);
    expect(body.length).toBe(SIZE);
  });

  test('short closes the connection before the length is reached', async () => {
    const { url } = await withFaults({ kind: 'short', missing: 10 });
    const { headers, body, broken } = await http(url);
    expect([headers['content-length'], body.length, broken]).toEqual([String(SIZE), SIZE - 10, true]);
  });

  test('short without a length looks like a proper end', async () => {
    const { url } = await withFaults({ kind: 'short', missing: 10 }, { kind: 'noLength' });
    const { body, broken } = await http(url);
    expect([body.length, broken]).toEqual([SIZE - 10, false]);
  });

  test('long sends more than the range asked for', async () => {
    const { url } = await withFaults({ kind: 'long', extra: 3 });
    const { status, headers, body } = await http(url, { range: 'bytes=0-9' });
    expect([status, headers['content-range'], body.length]).toEqual([206, `bytes 0-9/${SIZE}`, 13]);
  });

  test('reset breaks off, before any answer if no bytes are allowed', async () => {
    const { url } = await withFaults({ kind: 'reset', times: 1 }, { kind: 'reset', afterBytes: 100 });
    await expect(http(url)).rejects.toMatchObject({ code: 'ECONNRESET' });
    const answer = await http(url).catch(() => undefined);
    expect(answer?.broken ?? true).toBe(true);
  });

  test('stall sends so many bytes and no more', async () => {
    const { topaz, url } = await withFaults({ kind: 'stall', afterBytes: 1000 });
    const call = new AbortController();
    const response = await fetch(url, { signal: call.signal });
    let read = 0;
    const reading = (async () => {
      for await (const chunk of response.body!) {
        read += chunk.length;
        if (read === 1000) {
          // Whatever else was sent would arrive no later than this answer.
          await topaz.ask();
          call.abort(new Error('given up'));
        }
      }
    })();
    await expect(reading).rejects.toThrow('given up');
    expect(read).toBe(1000);
  });

  test('hang gives no answer', async () => {
    const { topaz, url } = await withFaults({ kind: 'hang' });
    const call = new AbortController();
    const answer = fetch(url, { signal: call.signal });
    await topaz.ask();
    call.abort(new Error('given up'));
    await expect(answer).rejects.toThrow('given up');
  });

  test('drip sends the whole video bit by bit', async () => {
    const { url } = await withFaults({ kind: 'drip', bytesPerSecond: 5_000_000 });
    expect((await http(url)).body.length).toBe(SIZE);
  });

  test('redirect leads to a URL that works', async () => {
    const { url } = await withFaults({ kind: 'redirect', status: 307 });
    const { status, headers } = await http(url);
    expect(status).toBe(307);
    expect(headers.location).not.toBe(url);
    expect((await http(headers.location!)).body.length).toBe(SIZE);
  });

  test('redirect leads where it is told to', async () => {
    const { url } = await withFaults({ kind: 'redirect', location: 'http://169.254.169.254/' });
    expect((await http(url)).headers.location).toBe('http://169.254.169.254/');
  });

  test('gzip encodes without being asked', async () => {
    const { url } = await withFaults({ kind: 'gzip' });
    const { headers, body } = await http(url, { 'accept-encoding': 'identity' });
    expect(headers['content-encoding']).toBe('gzip');
    expect(body.subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
  });

  test('html answers 200 with an error page', async () => {
    const { url } = await withFaults({ kind: 'html' });
    const { status, headers } = await http(url);
    expect([status, headers['content-type']]).toEqual([200, 'text/html']);
  });
});
