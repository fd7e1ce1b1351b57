import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type Network = Awaited<ReturnType<typeof openNetwork>>;

/** A network of one cable to a server, which can be cut and mended. */
export async function openNetwork(target: string) {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let isCut = false;
  let carried = '';
  let isLost: (sent: string) => boolean = () => false;
  let onLost: () => void = () => undefined;
  const server = createServer((near) => {
    if (isCut) return near.destroy();
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    let lost = false;
    near.on('data', (chunk: Buffer) => {
      lost ||= isLost(chunk.toString());
      if (lost) onLost();
      else far.write(chunk);
    });
    near.on('end', () => far.end());
    far.on('data', (chunk: Buffer) => {
      carried += chunk;
    });
    far.pipe(near);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** What the server has answered over it. */
    carried: () => carried,
    cut(): void {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    mend(): void {
      isCut = false;
      isLost = () => false;
    },
    /** Loses the call that matches and whatever follows it on its connection; resolves when there was one. */
    lose: (matches: (sent: string) => boolean) =>
      new Promise<void>((resolve) => {
        isLost = matches;
        onLost = resolve;
      }),
    close(): void {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
