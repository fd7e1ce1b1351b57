import { once } from 'node:events';
import http, { type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { BucketError } from '../../../../lambdas/copy/uploads/bucket-error.ts';
import { createPartSender } from '../../../../lambdas/copy/uploads/part-sender.ts';

const sender = createPartSender();
const { signal } = new AbortController();
let server: http.Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((closed) => server?.close(closed));
});

async function serve(listener: RequestListener): Promise<string> {
  server = http.createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/part?signature=secret`;
}

const body = Buffer.alloc(3 * 1024 ** 2 + 1, 'x');

test('a part arrives whole with its headers, over one connection for all', async () => {
  const ports = new Set<number | undefined>();
  const seen: { bytes: Buffer; crc: unknown }[] = [];
  const url = await serve(async (request, response) => {
    ports.add(request.socket.remotePort);
    seen.push({ bytes: await buffer(request), crc: request.headers['x-amz-checksum-crc32'] });
    response.setHeader('etag', '"e"').end();
  });
  const put = { url, headers: { 'x-amz-checksum-crc32': 'abcd' } };
  for (const _ of [1, 2]) await sender.send(put, body, signal);
  expect(seen.map(({ bytes, crc }) => ({ same: bytes.equals(body), crc }))).toEqual([
    { same: true, crc: 'abcd' },
    { same: true, crc: 'abcd' },
  ]);
  expect(ports.size).toBe(1);
});

test('a connection that rested while the process was frozen is not used again', async () => {
  let time = 0;
  const thawed = createPartSender({ stallMs: 5_000, now: () => time });
  const ports: (number | undefined)[] = [];
  const url = await serve(async (request, response) => {
    const { remotePort } = request.socket;
    // As if S3 had forgotten the connection: the next use of it gets no answer.
    if (ports.includes(remotePort)) return;
    ports.push(remotePort);
    await buffer(request);
    response.setHeader('etag', '"e"').end();
  });
  await thawed.send({ url, headers: {} }, body, signal);
  time += 60_000;
  await thawed.send({ url, headers: {} }, body, signal);
  expect(ports).toHaveLength(2);
  thawed.close();
});

test('a refusal in the middle of the body is heard, and its code decides what it means', async () => {
  const url = await serve((_request, response) => {
    response.writeHead(503, { connection: 'close' }).end('<Error><Code>SlowDown</Code></Error>');
  });
  const large = Buffer.alloc(64 * 1024 ** 2);
  const failure = await sender.send({ url, headers: {} }, large, signal).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(BucketError);
  expect(failure).toMatchObject({ kind: 'unavailable' });
});

test.each([
  ['NoSuchUpload', 404, 'gone'],
  ['AccessDenied', 403, 'denied'],
  ['ExpiredToken', 400, 'unavailable'],
  ['RequestTimeTooSkewed', 403, 'unavailable'],
  ['SignatureDoesNotMatch', 403, 'unavailable'],
  ['KMS.DisabledException', 400, 'denied'],
  ['KMS.ThrottlingException', 400, 'unavailable'],
  ['BadDigest', 400, 'corrupt'],
])('%s is %s: %s', async (code, status, kind) => {
  const url = await serve(async (request, response) => {
    await buffer(request);
    response.writeHead(status).end(`<Error><Code>${code}</Code></Error>`);
  });
  await expect(sender.send({ url, headers: {} }, body, signal)).rejects.toMatchObject({ kind });
});

test('an answer that breaks off may pass, and is named as it is', async () => {
  const url = await serve(async (request, response) => {
    await buffer(request);
    response.writeHead(503, { 'content-length': 100 });
    response.write('<Error>', () => request.socket.resetAndDestroy());
  });
  const failure = await sender.send({ url, headers: {} }, body, signal).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(BucketError);
  expect(failure).toMatchObject({
    kind: 'unavailable',
    message: 'the connection to the bucket failed (ECONNRESET)',
  });
});

test('a bucket that takes nothing any more is given up, without the URL in the error', async () => {
  const url = await serve(() => {});
  const impatient = createPartSender({ stallMs: 300 });
  const failure = (await impatient
    .send({ url, headers: {} }, body, signal)
    .catch((error: unknown) => error)) as Error;
  expect(failure).toMatchObject({ kind: 'unavailable', message: 'the bucket sent nothing for 300 ms' });
  expect(failure.message).not.toContain('secret');
});
