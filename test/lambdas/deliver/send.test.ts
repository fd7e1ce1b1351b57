import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Table } from '../../../lambdas/adapters/dynamodb/table.ts';
import { ExchangeError } from '../../../lambdas/adapters/http/exchange-error.ts';
import {
  createSafeHttp,
  type SafeHttp,
  type SafeHttpOptions,
} from '../../../lambdas/adapters/http/safe-http.ts';
import { rotated } from '../../../lambdas/domain/delivering/signing-secret.ts';
import { testClock } from '../../support/claims.ts';
import { useDatabase } from '../../support/dynamodb.ts';
import { cert, type FarSide, startHttp, startHttps, startRaw } from '../adapters/http/far-side.ts';
import { deliveryWorld, SECRET } from './delivery-world.ts';

const database = useDatabase();
const opened: { close: () => void }[] = [];
afterEach(() => {
  for (const { close } of opened.splice(0)) close();
});

async function far(starting: Promise<FarSide>): Promise<FarSide> {
  const side = await starting;
  opened.push(side);
  return side;
}

/** A world whose endpoint 1 is on the far side, reached by real HTTP. */
async function setUp(url: string, options: Partial<SafeHttpOptions> = {}, timeoutMs = 15_000) {
  const client = createSafeHttp({
    allowLoopback: true,
    ca: cert,
    resolve: async () => ['127.0.0.1'],
    ...options,
  });
  opened.push(client);
  // A far side that does nothing is waited for until the time-out; tests shorten it.
  const http = {
    ...client,
    request: (exchange: Parameters<typeof client.request>[0]) =>
      client.request({ ...exchange, timeoutMs: Math.min(exchange.timeoutMs, timeoutMs) }),
  };
  const world = await deliveryWorld(database(), { http, clock: testClock() });
  const endpoint = await world.endpoint(1, { url });
  const { observe } = await world.request();
  return { world, endpoint, observe };
}

/** One event sent to a far side, and its delivery afterwards. */
async function attempt(url: string, options: Partial<SafeHttpOptions> = {}, timeoutMs?: number) {
  const { world, endpoint, observe } = await setUp(url, options, timeoutMs);
  await observe('video.accepted');
  await world.work();
  const [delivery] = await world.deliveries(endpoint);
  return { world, endpoint, delivery, attempts: delivery?.attempts ?? [], clock: world.clock };
}

const answering = (statusCode: number, headers: Record<string, string> = {}, body = '') =>
  startHttp((_request, response) => void response.writeHead(statusCode, headers).end(body));
const local = ({ port }: FarSide, path = '/hook') => `http://127.0.0.1:${port}${path}`;

describe('an answer', () => {
  test.each([200, 201, 204, 299])('of %i is a success', async (statusCode) => {
    const { world, delivery } = await attempt(
      local(await far(answering(statusCode, {}, statusCode === 204 ? '' : 'ok'))),
    );
    expect(delivery).toMatchObject({ state: 'delivered', attempts: [{ statusCode }], attemptCount: 1 });
    expect(delivery?.expiresAt).toBeGreaterThan(0);
    expect(world.counted).toEqual(['DeliveriesSucceeded', 'DeliveryLatency']);
  });

  test.each([301, 302, 303, 307, 308])('of %i is a failure, and not followed', async (statusCode) => {
    const target = await far(answering(200));
    const { attempts, delivery, clock } = await attempt(
      local(await far(answering(statusCode, { location: local(target) }))),
    );
    expect(attempts).toMatchObject([{ statusCode }]);
    expect(delivery).toMatchObject({ state: 'pending', dueAt: clock.now() + 5_000 });
    expect(target.connections()).toBe(0);
  });

  test('the reason for a body that is too long names its size', async () => {
    const { attempts, delivery } = await attempt(local(await far(answering(413))));
    const bytes = Buffer.byteLength(delivery?.body ?? '');
    expect(attempts[0]?.reason).toContain(`413 Payload Too Large; the event has ${bytes} bytes`);
  });

  test('of 410 disables the endpoint, which is reported to the others and counted; the delivery is held', async () => {
    const { world, endpoint, observe } = await setUp(local(await far(answering(410))));
    const other = await world.endpoint(2, { url: local(await far(answering(200))), events: ['endpoint.*'] });
    await observe('video.accepted');
    await world.work();
    expect(await world.current(endpoint)).toMatchObject({
      enabled: false,
      disabledReason: 'it answered 410 Gone',
      health: { state: 'disabled' },
    });
    expect(world.counted).toContain('EndpointDisabled');
    const [told] = await world.deliveries(other);
    expect(told).toMatchObject({ type: 'endpoint.disabled', state: 'delivered' });
    expect(JSON.parse(told!.body)).toMatchObject({ data: { endpointId: endpoint.id } });
    await world.pass(5_000);
    expect(await world.deliveries(endpoint)).toMatchObject([{ state: 'held' }]);
  });

  test.each([429, 503])('of %i with seconds in Retry-After is not tried again before', async (statusCode) => {
    const { delivery, clock } = await attempt(
      local(await far(answering(statusCode, { 'retry-after': '120' }))),
    );
    expect(delivery).toMatchObject({ state: 'pending', dueAt: clock.now() + 120_000 });
  });

  test('with a date in Retry-After is not tried again before', async () => {
    const at = Date.parse('2026-11-23T21:00:00Z');
    const date = new Date(at).toUTCString();
    const { delivery } = await attempt(local(await far(answering(503, { 'retry-after': date }))));
    expect(delivery).toMatchObject({ state: 'pending', dueAt: at });
  });

  test('cannot put the next attempt off for longer than the longest step of the schedule', async () => {
    const { delivery, clock } = await attempt(
      local(await far(answering(429, { 'retry-after': '99999999' }))),
    );
    expect(delivery?.dueAt).toBe(clock.now() + 86_400_000);
  });

  test('that asks to be left alone for less than the schedule changes nothing', async () => {
    const { delivery, clock } = await attempt(local(await far(answering(503, { 'retry-after': '1' }))));
    expect(delivery?.dueAt).toBe(clock.now() + 5_000);
  });

  test('of another status is not asked when to come again', async () => {
    const { delivery, clock } = await attempt(local(await far(answering(500, { 'retry-after': '120' }))));
    expect(delivery?.dueAt).toBe(clock.now() + 5_000);
  });

  test('is kept to its first 1 KiB', async () => {
    const { attempts } = await attempt(local(await far(answering(500, {}, 'x'.repeat(5_000)))));
    expect(attempts[0]?.body).toBe('x'.repeat(1_024));
  });

  test('without an end counts by its status once more than 64 KiB are read', async () => {
    // One byte more, and then silence: a reader that waited for another would run out of time.
    const side = await far(
      startHttp((_request, response) => void response.writeHead(200).write('x'.repeat(65_537))),
    );
    const { delivery } = await attempt(local(side));
    expect(delivery).toMatchObject({ state: 'delivered', attempts: [{ statusCode: 200 }] });
    await side.ended;
  });
});

describe('an exchange that fails is tried again, and named', () => {
  test('when the headers are slow', async () => {
    const side = await far(startHttp(() => {}));
    const { attempts, delivery, clock } = await attempt(local(side), {}, 1_000);
    expect(attempts).toMatchObject([{ error: 'timeout' }]);
    expect(attempts[0]?.statusCode).toBeUndefined();
    expect(delivery?.dueAt).toBe(clock.now() + 5_000);
  });

  test.each([
    ['on arrival', (write: (text: string) => void) => write('')],
    ['within the status line', (write: (text: string) => void) => write('HTTP/1.1 20')],
  ])('when it is reset %s, after one quick second try', async (_stage, say) => {
    const side = await far(
      startRaw((socket) => {
        socket.once('data', () => {
          say((text) => socket.write(text));
          setImmediate(() => socket.resetAndDestroy());
        });
      }),
    );
    const { attempts, delivery } = await attempt(local(side));
    expect(attempts).toMatchObject([{ error: 'reset' }]);
    expect(side.connections()).toBe(2);
    expect(delivery?.state).toBe('pending');
  });

  test('but not when the second try succeeds', async () => {
    let connections = 0;
    const side = await far(
      startRaw((socket) => {
        const first = ++connections === 1;
        socket.once('data', () => {
          if (first) socket.resetAndDestroy();
          else socket.end('HTTP/1.1 204 No Content\r\n\r\n');
        });
      }),
    );
    const { delivery } = await attempt(local(side));
    expect(delivery).toMatchObject({ state: 'delivered', attempts: [{ statusCode: 204 }], attemptCount: 1 });
  });

  test('and has 15 s in all, of which the second try gets what is left', async () => {
    const limits: number[] = [];
    const http = {
      request: async ({ timeoutMs }) => {
        limits.push(timeoutMs);
        world.clock.advance(4_000);
        throw new ExchangeError('reset', 'closed');
      },
    } as Partial<SafeHttp> as SafeHttp;
    const world = await deliveryWorld(database(), { http, clock: testClock() });
    const endpoint = await world.endpoint(1);
    await (await world.request()).observe('video.accepted');
    await world.work();
    expect(limits).toEqual([15_000, 11_000]);
    expect((await world.deliveries(endpoint))[0]?.attempts).toMatchObject([
      { error: 'reset', durationMs: 8_000 },
    ]);
  });

  test('when the certificate is for another name', async () => {
    const side = await far(startHttps((_request, response) => void response.end()));
    const { attempts } = await attempt(`https://another.example:${side.port}/`);
    expect(attempts).toMatchObject([
      {
        error: 'tls',
        reason: expect.stringMatching(/certificate is for another host than another\.example/),
      },
    ]);
  });

  test('when the name does not resolve', async () => {
    const resolve = async () => {
      throw Object.assign(new Error('queryA ENOTFOUND'), { code: 'ENOTFOUND' });
    };
    const { attempts } = await attempt('https://nowhere.example/', { resolve });
    expect(attempts).toMatchObject([
      {
        error: 'dns',
        reason: expect.stringMatching(/^nowhere\.example could not be resolved \(ENOTFOUND\)/),
      },
    ]);
  });

  test('when the connection is refused', async () => {
    const side = await far(startHttp(() => {}));
    side.close();
    const { attempts } = await attempt(local(side));
    expect(attempts).toMatchObject([
      { error: 'connect_refused', reason: expect.stringMatching(/refused the connection/) },
    ]);
  });

  test('and never dialed at an address that is not public', async () => {
    const side = await far(answering(200));
    const { attempts } = await attempt(local(side), { allowLoopback: false });
    expect(attempts).toMatchObject([{ error: 'address_refused', reason: expect.any(String) }]);
    expect(side.connections()).toBe(0);
  });
});

test('an endpoint is reached by IPv6', async () => {
  const side = await far(startHttps((_request, response) => void response.end(), '::1'));
  const { delivery } = await attempt(`https://[::1]:${side.port}/`);
  expect(delivery?.state).toBe('delivered');
});

describe('a webhook', () => {
  type Received = { headers: Record<string, string>; body: string };
  // The packages that verify know only the real clock.
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
  afterEach(() => void vi.useRealTimers());

  async function receiver() {
    const received: Received[] = [];
    const statuses: number[] = [];
    const side = await far(
      startHttp(async (request: IncomingMessage, response: ServerResponse) => {
        received.push({ headers: request.headers as Record<string, string>, body: await text(request) });
        response.writeHead(statuses.shift() ?? 204).end();
      }),
    );
    return { received, statuses, url: local(side) };
  }

  function verifies(secret: string, { headers, body }: Received): boolean {
    return [new Webhook(secret), new SvixWebhook(secret)].every((webhook) => {
      try {
        webhook.verify(body, headers);
        return true;
      } catch {
        return false;
      }
    });
  }

  test('is verified by both public packages before, during and after a rotation', async () => {
    const fresh = `whsec_${Buffer.alloc(24, 9).toString('base64')}`;
    const { received, url } = await receiver();
    const { world, endpoint, observe } = await setUp(url);
    const send = async (): Promise<Received> => {
      vi.setSystemTime(world.clock.now());
      await observe('video.processing');
      await world.work();
      return received.at(-1) as Received;
    };
    const rotate = async () => {
      const { secrets = [] } = await world.current(endpoint);
      const set = { secrets: rotated(secrets, fresh, world.clock.now(), 3_600_000) };
      await world.table.write({ update: endpoint, set });
    };

    const before = await send();
    expect([verifies(SECRET, before), verifies(fresh, before)]).toEqual([true, false]);
    await rotate();
    const during = await send();
    expect([verifies(SECRET, during), verifies(fresh, during)]).toEqual([true, true]);
    world.clock.advance(3_600_000);
    const after = await send();
    expect([verifies(SECRET, after), verifies(fresh, after)]).toEqual([false, true]);
  });

  test('keeps its id at every attempt, and takes the time of the attempt', async () => {
    const { received, statuses, url } = await receiver();
    statuses.push(500, 500);
    const { world, endpoint, observe } = await setUp(url);
    await observe('video.accepted');
    await world.pass(400_000);
    expect((await world.deliveries(endpoint))[0]).toMatchObject({ state: 'delivered', attemptCount: 3 });
    const [first, second, third] = received.map(({ headers }) => headers);
    expect(new Set([first, second, third].map((headers) => headers?.['webhook-id'])).size).toBe(1);
    const times = [first, second, third].map((headers) => Number(headers?.['webhook-timestamp']));
    expect([times[1]! - times[0]!, times[2]! - times[1]!]).toEqual([5, 300]);
    expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({ id: first?.['webhook-id'] });
  });

  test('of a callback is signed with the callback secret', async () => {
    const { received, url } = await receiver();
    const http = createSafeHttp({ allowLoopback: true });
    opened.push(http);
    const world = await deliveryWorld(database(), { http, clock: testClock() });
    const callback = await world.endpoint(1, { kind: 'callback', url });
    const { observe } = await world.request(callback);
    await observe('video.accepted');
    await world.work();
    vi.setSystemTime(world.clock.now());
    expect(verifies(SECRET, received[0] as Received)).toBe(true);
  });

  test('is valid whatever the clock does: each attempt is dated by the time that it shows then', async () => {
    const { received, statuses, url } = await receiver();
    statuses.push(500);
    const { world, endpoint, observe } = await setUp(url);
    await observe('video.accepted');
    await world.work();
    world.clock.advance(-86_400_000);
    await observe('video.processing');
    await world.work();
    world.clock.advance(2 * 86_400_000);
    vi.setSystemTime(world.clock.now());
    await world.work();
    const rows = await world.deliveries(endpoint);
    expect(rows.map(({ state }) => state)).toEqual(['delivered', 'delivered']);
    expect(rows.flatMap(({ attempts }) => attempts).every(({ durationMs }) => durationMs >= 0)).toBe(true);
    expect(verifies(SECRET, received.at(-1) as Received)).toBe(true);
  });

  test('carries the custom headers, which cannot replace those of the signature', async () => {
    const { received, url } = await receiver();
    const { world, endpoint, observe } = await setUp(url);
    const headers = { 'x-tenant': 'a', 'Webhook-Id': 'msg_other' };
    await world.table.write({ update: endpoint, set: { headers } });
    await observe('video.accepted');
    await world.work();
    const [delivery] = await world.deliveries(endpoint);
    expect(received[0]?.headers).toMatchObject({ 'x-tenant': 'a', 'webhook-id': delivery?.eventId });
  });
});

test('a worker killed between the POST and writing it down sends the event again, with the same id', async () => {
  const ids: string[] = [];
  let dead = false;
  const side = await far(
    startHttp((request, response) => {
      ids.push(String(request.headers['webhook-id']));
      dead = ids.length === 1;
      response.writeHead(204).end();
    }),
  );
  const http = createSafeHttp({ allowLoopback: true });
  opened.push(http);
  const world = await deliveryWorld(database(), { http, wrap: (table) => diesWith(table, () => dead) });
  const endpoint = await world.endpoint(1, { url: local(side) });
  const { observe } = await world.request();
  await observe('video.accepted');
  await world.work();
  expect((await world.deliveries(endpoint))[0]).toMatchObject({ state: 'pending', attempts: [] });

  dead = false;
  await world.pass(100_000);
  const [delivery] = await world.deliveries(endpoint);
  expect(delivery).toMatchObject({ state: 'delivered', attemptCount: 1 });
  expect(ids).toEqual([delivery?.eventId, delivery?.eventId]);
});

/** The table as a worker sees it that is dead from some moment on: nothing it does happens. */
function diesWith(table: Table, isDead: () => boolean): Table {
  return new Proxy(table, {
    get:
      (target, name: keyof Table) =>
      async (...args: never[]) => {
        if (isDead()) throw new Error('killed');
        return (target[name] as (...given: never[]) => unknown)(...args);
      },
  });
}

test('neither secrets nor links nor headers nor answers are in the log', async () => {
  const side = await far(answering(500, {}, 'answer-4711'));
  const { world, endpoint, observe } = await setUp(`${local(side)}?token=query-4711`);
  await world.table.write({ update: endpoint, set: { headers: { authorization: 'Bearer header-4711' } } });
  await observe('video.accepted', 'video.stored');
  await world.pass(60_000);
  const logged = JSON.stringify(world.lines);
  expect(logged).toContain((await world.deliveries(endpoint))[0]?.id);
  for (const secret of [SECRET, SECRET.slice(6), '4711', 'bridge.example'])
    expect(logged).not.toContain(secret);
});

test('a stored video gets a new link at each attempt, which is signed with the rest', async () => {
  const bodies: string[] = [];
  const side = await far(
    startHttp(async (request, response) => {
      bodies.push(await text(request));
      response.writeHead(204).end();
    }),
  );
  const { world, observe } = await setUp(local(side));
  await observe('video.stored');
  await world.work();
  expect(JSON.parse(bodies[0] ?? '{}').data.video.url).toMatch(/^https:\/\/bridge\.example\/.*token$/);
});

test('the bytes of a body are the same at every attempt, whatever order a map of the table has', async () => {
  const bodies: string[] = [];
  const side = await far(
    startHttp(async (request, response) => {
      bodies.push(await text(request));
      response.writeHead(bodies.length < 3 ? 500 : 204).end();
    }),
  );
  const http = createSafeHttp({ allowLoopback: true });
  opened.push(http);
  // DynamoDB gives the attributes of a map in no order.
  const shuffled = (value: unknown): unknown =>
    value && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(
          Object.entries(value)
            .toReversed()
            .map(([name, each]) => [name, shuffled(each)]),
        )
      : value;
  let odd = false;
  const world = await deliveryWorld(database(), {
    http,
    wrap: (table) => ({
      ...table,
      write: async (change) => {
        const row = await table.write<never>(change);
        odd = !odd;
        return (odd ? shuffled(row) : row) as never;
      },
    }),
  });
  await world.endpoint(1, { url: local(side) });
  await (await world.request()).observe('video.stored');
  await world.pass(400_000);
  expect(bodies).toHaveLength(3);
  expect(new Set(bodies).size).toBe(1);
});

test('a link that cannot be made is no attempt, and is tried again as all work whose read fails', async () => {
  let reads = 0;
  const world = await deliveryWorld(database(), {
    videoLink: async () => {
      if (++reads <= 3) throw new Error('The table does not answer');
      return { url: 'https://bridge.example/link', urlExpiresAt: '' };
    },
  });
  const endpoint = await world.endpoint(1);
  await (await world.request()).observe('video.stored');
  await world.work();
  expect(await world.deliveries(endpoint)).toMatchObject([{ state: 'pending', attemptCount: 0 }]);
  await world.pass(60_000);
  expect(await world.deliveries(endpoint)).toMatchObject([{ state: 'delivered', attemptCount: 1 }]);
});

test.each([
  [404, {}, 'The endpoint answered 404 Not Found.'],
  [
    301,
    { location: 'https://new.example/hook?token=4711' },
    'The endpoint answered 301 Moved Permanently, a redirect to https://new.example/hook, which is not followed: use that URL instead.',
  ],
])('the reason of a %i is given in words', async (status, headers, reason) => {
  const { attempts } = await attempt(local(await far(answering(status, headers))));
  expect(attempts).toMatchObject([{ statusCode: status, reason }]);
});
