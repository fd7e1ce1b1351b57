import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';

export type Receivers = Awaited<ReturnType<typeof startReceivers>>;

/** Far sides on loopback: healthy ones that note when a webhook came, and one of each bad kind. */
export async function startReceivers() {
  const servers: Server[] = [];
  /** When each event came to each of the healthy ones, ms, by `<path> <webhook-id>`. */
  const arrivals = new Map<string, number>();

  async function start(listener: RequestListener): Promise<string> {
    const server = createServer({ keepAliveTimeout: 60_000 }, listener);
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const floor = await start((request, response) => {
    request.resume().on('end', () => response.writeHead(204).end());
  });
  const healthy = await start((request, response) => {
    const arrival = `${request.url} ${request.headers['webhook-id']}`;
    if (!arrivals.has(arrival)) arrivals.set(arrival, performance.now());
    request.resume().on('end', () => response.writeHead(204).end());
  });
  const failing = await start((request, response) => {
    request.resume().on('end', () => response.writeHead(500).end());
  });
  const slow = await start(async (request, response) => {
    request.resume();
    await setTimeout(20_000, undefined, { ref: false });
    response.writeHead(204).end();
  });
  const refusing = await start(() => {});
  servers.at(-1)?.close();

  return {
    arrivals,
    healthy: (n: number) => `${healthy}/${n}`,
    /** Takes the floor's, which are not noted. */
    floor,
    bad: [refusing, slow, failing],
    stop: () => {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}
