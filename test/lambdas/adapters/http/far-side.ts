import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net, { type Socket } from 'node:net';

/** A certificate for localhost, receiver.test, 127.0.0.1 and ::1 that only these tests trust. */
export const cert = readFileSync(new URL('./test-only-cert.pem', import.meta.url), 'utf8');
const key = readFileSync(new URL('./test-only-key.pem', import.meta.url), 'utf8');

export type FarSide = {
  port: number;
  /** How many connections have arrived. */
  connections: () => number;
  /** Settles when a connection of those so far has ended. */
  ended: Promise<unknown>;
  close: () => void;
};

export const startHttp = (listener: http.RequestListener, host?: string): Promise<FarSide> =>
  start(http.createServer(listener), host);

export const startHttps = (listener: http.RequestListener, host?: string): Promise<FarSide> =>
  start(https.createServer({ cert, key }, listener), host);

/** A server that is handed each connection as it arrives, to speak HTTP badly. */
export const startRaw = (script: (socket: Socket) => void): Promise<FarSide> =>
  start(net.createServer(script));

async function start(server: net.Server, host = '127.0.0.1'): Promise<FarSide> {
  const sockets: Socket[] = [];
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  server.on('connection', (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('close', () => resolve());
  });
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  return {
    port,
    connections: () => sockets.length,
    ended,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
