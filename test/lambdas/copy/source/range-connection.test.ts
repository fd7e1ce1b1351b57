import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { RangeConnection } from '../../../../lambdas/copy/source/range-connection.ts';

let server: net.Server | undefined;
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server?.close();
});

/** A server that sends `answers` in turn, one per request, in these very pieces. */
async function connect(...answers: string[][]): Promise<RangeConnection> {
  server = net.createServer((socket) => {
    sockets.push(socket);
    socket.setNoDelay(true);
    socket.on('data', async () => {
      for (const piece of answers.shift() ?? []) {
        socket.write(piece);
        await new Promise(setImmediate);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return new RangeConnection({ url, lookup: () => {}, stallMs: 1000 });
}

const get = async (connection: RangeConnection, length: number, filled = 0) => {
  const into = { bytes: Buffer.alloc(length), filled };
  const statuses: number[] = [];
  const judge = (status: number) => void statuses.push(status);
  const ended = await connection.get({ target: '/', headers: {}, into, judge }).then(
    () => undefined,
    (error: Error) => error.message,
  );
  return { body: into.bytes.toString('latin1', 0, into.filled), statuses, ended };
};

test('a body is read in whatever pieces it comes, and the connection serves again', async () => {
  const connection = await connect(
    ['HTTP/1.1 206 P', 'artial\r\nconte', 'nt-length: 5\r\n\r', '\nhe', 'llo'],
    ['HTTP/1.1 206 Partial\r\ncontent-length: 2\r\n\r\nab'],
  );
  expect(await get(connection, 5)).toEqual({ body: 'hello', statuses: [206], ended: undefined });
  expect(await get(connection, 2)).toEqual({ body: 'ab', statuses: [206], ended: undefined });
  expect(connection.isOpen).toBe(true);
});

test('interim answers are passed over', async () => {
  const connection = await connect([
    'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 206 P\r\ncontent-length: 1\r\n\r\nx',
  ]);
  expect(await get(connection, 1)).toEqual({ body: 'x', statuses: [206], ended: undefined });
});

test('more than the range ends the connection', async () => {
  const connection = await connect(['HTTP/1.1 206 P\r\ncontent-length: 5\r\n\r\nhello!']);
  expect((await get(connection, 5)).ended).toMatch(/more than the range/);
  expect(connection.isOpen).toBe(false);
});

test('bytes beyond the answer end the connection', async () => {
  const connection = await connect(['HTTP/1.1 206 P\r\ncontent-length: 1\r\n\r\na']);
  await get(connection, 1);
  expect(connection.isOpen).toBe(true);
  sockets[0]?.write('stray');
  while (connection.isOpen) await new Promise(setImmediate);
  await expect(async () => get(connection, 1)).rejects.toThrow(/not asked for/);
});

test.each([
  ['no length', 'HTTP/1.1 206 P\r\n\r\nx', /without length/],
  ['chunks', 'HTTP/1.1 206 P\r\ntransfer-encoding: chunked\r\n\r\n', /chunked/],
  ['endless headers', `HTTP/1.1 206 P\r\nx: ${'y'.repeat(20_000)}`, /more than 16 KiB of headers/],
  ['what is not HTTP', 'SSH-2.0-OpenSSH\r\n\r\n', /HTTP\/1\.1/],
])('an answer with %s is refused', async (_name, answer, reason) => {
  const connection = await connect([answer]);
  expect((await get(connection, 5)).ended).toMatch(reason);
  expect(connection.isOpen).toBe(false);
});

test('a connection asked to close serves its answer, and no other', async () => {
  const connection = await connect(['HTTP/1.1 206 P\r\ncontent-length: 1\r\nconnection: close\r\n\r\nx']);
  expect(await get(connection, 1)).toEqual({ body: 'x', statuses: [206], ended: undefined });
  expect(connection.isOpen).toBe(false);
});
