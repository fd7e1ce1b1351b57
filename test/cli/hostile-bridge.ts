import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** Sets the title of a terminal, clears it, draws over its lines, begins new ones, and turns text around. */
const STEERING = '\u001b]0;owned\u0007\u001b[2J\r\n\u009b1A\u202egnp\u2028\u{e0041}\0';

/** Fields that say what is to be done next, and that commands compare or send back. */
const FOLLOWED = /^(.*[iI]d|.*At|cursor|state|timestamp|url|value|size|secret|kind|method)$/;

/**
 * A bridge in front of a real one: each other text of its answers ends with {@link STEERING}, as if all that
 * strangers can write had been written by one who wants to steer the terminal.
 */
export async function openHostileBridge(target: string) {
  const server = createServer(async (request, response) => {
    const { method = 'GET', headers } = request;
    const body = await text(request);
    const answer = await fetch(target + request.url, {
      method,
      headers: Object.fromEntries(
        Object.entries(headers).filter(([name]) => /^(authorization|accept|content-type|idem)/.test(name)),
      ) as Record<string, string>,
      ...(body === '' ? {} : { body }),
    });
    const said = await answer.text();
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(said === '' ? said : JSON.stringify(spoilt(JSON.parse(said))));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close(): void {
      server.closeAllConnections();
      server.close();
    },
  };
}

function spoilt(value: unknown, name = ''): unknown {
  if (typeof value === 'string') return FOLLOWED.test(name) ? value : value + STEERING;
  if (Array.isArray(value)) return value.map((each) => spoilt(each, name));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, spoilt(each, key)]));
}
