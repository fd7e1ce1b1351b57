import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createSource } from '../../../../lambdas/copy/source/source.ts';

const closers: (() => unknown)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A server that answers the first request of a connection, and resets the connection at the second one. */
async function startForgetful() {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.once('data', () => {
      socket.write('HTTP/1.1 206 P\r\ncontent-length: 2\r\ncontent-range: bytes 0-1/2\r\n\r\nab');
      socket.once('data', () => socket.resetAndDestroy());
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  closers.push(
    () => server.close(),
    () => sockets.map((socket) => socket.destroy()),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/video`, sockets };
}

test('a range is read again at once when the connection had died while it rested', async () => {
  const { url, sockets } = await startForgetful();
  const source = createSource({ allowLoopback: true, now: Date.now });
  closers.push(source.close);
  for (let n = 0; n < 3; n++) {
    const into = { bytes: Buffer.alloc(2), filled: 0 };
    await source.read(url, { start: 0, length: 2 }, { size: 2 }, into, new AbortController().signal);
    expect(into.bytes.toString()).toBe('ab');
  }
  expect(sockets).toHaveLength(3);
});
