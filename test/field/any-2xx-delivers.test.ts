import { afterEach, expect, test } from 'vitest';
import { createSafeHttp } from '../../lambdas/adapters/http/safe-http.ts';
import { type FarSide, startRaw } from '../lambdas/adapters/http/far-side.ts';
import { deliveryWorld } from '../lambdas/deliver/delivery-world.ts';
import { useDatabase } from '../support/dynamodb.ts';

const database = useDatabase();
const opened: { close: () => void }[] = [];
afterEach(() => {
  for (const { close } of opened.splice(0)) close();
});

/** The delivery of one event to a far side that answers a POST with these bytes, and how often it was sent. */
async function delivered(answer: (socket: Parameters<Parameters<typeof startRaw>[0]>[0]) => void) {
  let posts = 0;
  const side: FarSide = await startRaw((socket) => {
    socket.once('data', () => {
      posts++;
      answer(socket);
    });
  });
  const http = createSafeHttp({ allowLoopback: true });
  opened.push(side, http);
  const world = await deliveryWorld(database(), { http });
  const endpoint = await world.endpoint(1, { url: `http://localhost:${side.port}/hook` });
  const { observe } = await world.request();
  await observe('video.accepted');
  await world.work();
  const [delivery] = await world.deliveries(endpoint);
  return { delivery, posts, health: (await world.current(endpoint)).health };
}

// https://github.com/nodejs/node/issues/24580: answers with both a length and chunks, which strict parsers refuse.
test.each([
  ['a length and chunks', 'content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
  ['two lengths', 'content-length: 2\r\ncontent-length: 3\r\n\r\nok'],
  ['a length that is no number', 'content-length: many\r\n\r\nok'],
  ['a space in a header name', 'x bad: 1\r\ncontent-length: 2\r\n\r\nok'],
])('a 200 with %s is a delivery, sent once', async (_what, rest) => {
  const { delivery, posts } = await delivered((socket) => socket.write(`HTTP/1.1 200 OK\r\n${rest}`));
  expect(delivery).toMatchObject({ state: 'delivered', attempts: [{ statusCode: 200 }] });
  expect(delivery?.attempts[0]?.error).toBeUndefined();
  expect(delivery?.attempts[0]?.body).toContain('ok');
  expect(posts).toBe(1);
});

// https://github.com/nodejs/llhttp/issues/445: heads whose lines end with LF alone.
test('a 200 whose lines end with LF alone is a delivery, and its body is kept', async () => {
  const { delivery, posts } = await delivered((socket) => socket.end('HTTP/1.1 200 OK\nserver: old\n\nok'));
  expect(delivery).toMatchObject({ state: 'delivered', attempts: [{ statusCode: 200, body: 'ok' }] });
  expect(posts).toBe(1);
});

test.each([
  ['another version', 'HTTP/1.2 200 OK\r\ncontent-length: 2\r\n\r\nok'],
  ['a version without a point', 'HTTP/2 200\r\ncontent-length: 2\r\n\r\nok'],
  ['a version in lower case', 'http/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'],
  ['two blanks before its status', 'HTTP/1.1  200 OK\r\ncontent-length: 2\r\n\r\nok'],
  [
    'a long interim answer before it, and LF alone',
    `HTTP/1.1 103 Early Hints\r\nlink: ${'x'.repeat(8_000)}\r\n\r\nHTTP/1.1 200 OK\n\nok`,
  ],
])('a 200 with %s is a delivery, sent once', async (_what, answer) => {
  const { delivery, posts } = await delivered((socket) => socket.end(answer));
  expect(delivery).toMatchObject({ state: 'delivered', attempts: [{ statusCode: 200, body: 'ok' }] });
  expect(posts).toBe(1);
});

test.each([
  ['a 204 with a body', 'HTTP/1.1 204 No Content\r\n\r\nok then'],
  ['a 200 with more than its length', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok then'],
  ['a 200 with a broken chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nok then'],
])('%s is a delivery, and what came of the body is kept', async (_what, answer) => {
  const { delivery, posts } = await delivered((socket) => socket.write(answer));
  expect(delivery).toMatchObject({ state: 'delivered', attempts: [{ body: expect.stringMatching(/^ok/) }] });
  expect(posts).toBe(1);
});

test('a 503 whose lines end with LF alone is tried again as such', async () => {
  const { delivery } = await delivered((socket) => socket.end('HTTP/1.0 503 Busy\nserver: old\n\nno'));
  expect(delivery).toMatchObject({
    state: 'pending',
    attempts: [{ statusCode: 503, body: 'no', reason: 'The endpoint answered 503 Service Unavailable.' }],
  });
});

// https://github.com/svix/svix-webhooks/issues/675: receivers that answer 2xx and break off, or never end.
test.each([
  ['204 with a body', 'HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\nok', false],
  ['204 with a body and no length', 'HTTP/1.1 204 No Content\r\n\r\nok', false],
  ['200 shorter than its length', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart', true],
  ['200 longer than its length', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokay', false],
  ['200 cut within a chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n64\r\npart', true],
  ['202 cut within the headers', 'HTTP/1.1 202 Accepted\r\ncontent-', true],
])('a %s is a delivery, sent once', async (_what, sent, ends) => {
  const { delivery, posts, health } = await delivered((socket) =>
    ends ? socket.write(sent, () => socket.resetAndDestroy()) : socket.write(sent),
  );
  expect(delivery).toMatchObject({ state: 'delivered', attemptCount: 1 });
  expect(posts).toBe(1);
  expect(health.state).toBe('healthy');
});

test('a 200 whose body never ends is a delivery after a second, not after the whole time-out', async () => {
  const { delivery } = await delivered((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
    const timer = setInterval(() => socket.write('1\r\nx\r\n'), 20);
    socket.on('close', () => clearInterval(timer));
  });
  expect(delivery).toMatchObject({ state: 'delivered', attempts: [{ statusCode: 200 }] });
  expect(delivery?.attempts[0]?.body).toMatch(/^x+$/);
}, 10_000);
