import { Webhook } from 'standardwebhooks';
import { beforeEach, describe, expect, test } from 'vitest';
import { ExchangeError } from '../../../../lambdas/adapters/http/exchange-error.ts';
import type { EndpointRow } from '../../../../lambdas/domain/delivering/endpoint.ts';
import { urlTestKey } from '../../../../lambdas/domain/rows.ts';
import { useDatabase } from '../../../support/dynamodb.ts';
import { type DeliveryWorld, deliveryWorld, type Posted, SECRET } from '../../deliver/delivery-world.ts';
import { type CallOptions, createClient, READER } from '../call-api.ts';

const database = useDatabase();
const URL = 'https://elsewhere.example/try';
let world: DeliveryWorld;
let endpoint: EndpointRow;

/** The API over the world's table; while a call waits, the deliver stage works. */
function call(
  body: object,
  options: CallOptions = {},
  meanwhile: () => Promise<unknown> = () => world.work(),
) {
  const api = createClient(
    { ...database(), table: world.table },
    {
      startAt: world.clock.now(),
      sleep: async (ms) => {
        api.clock.now += ms;
        await meanwhile();
      },
    },
  );
  return api.call('POST', `/v1/endpoints/${endpoint.id}/test`, { body, ...options });
}

/** The one POST that there was. */
function posted(): Posted {
  const [post, ...others] = world.posted;
  expect(others).toEqual([]);
  if (!post) throw new Error('nothing was posted');
  return post;
}

beforeEach(async () => {
  world = await deliveryWorld(database());
  endpoint = await world.endpoint(1, { headers: { authorization: 'for the receiver alone' } });
});

describe('a test of a URL', () => {
  test('goes there signed by the secret of the endpoint, without its headers, and answers the attempt', async () => {
    world.farSide = () => ({ statusCode: 201, body: Buffer.from('thanks') });
    const { status, body } = await call({ type: 'video.stored', url: URL });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      eventId: expect.stringMatching(/^msg_/),
      attempt: { statusCode: 201, body: 'thanks' },
    });
    const { url, headers, body: sent } = posted();
    expect([url, headers['webhook-id']]).toEqual([URL, body.eventId]);
    expect(headers).not.toHaveProperty('authorization');
    expect(new Webhook(SECRET).sign(body.eventId, new Date(world.clock.now()), sent)).toBe(
      headers['webhook-signature'],
    );
    expect(JSON.parse(sent)).toMatchObject({
      id: body.eventId,
      type: 'video.stored',
      data: { test: true, endpointId: endpoint.id },
    });
  });

  test('that fails says why, is not sent again, and changes neither health nor deliveries', async () => {
    world.farSide = () => new ExchangeError('connect_refused', 'elsewhere.example refused the connection');
    const before = await world.current(endpoint);
    const { status, body } = await call({ url: URL });
    expect([status, body.attempt.error, body.attempt.reason]).toEqual([
      200,
      'connect_refused',
      'elsewhere.example refused the connection.',
    ]);
    await world.pass(3_600_000);
    expect(world.posted).toHaveLength(1);
    expect(await world.deliveries(endpoint)).toEqual([]);
    expect(await world.current(endpoint)).toEqual(before);
  });

  test('is signed by the callback secret for a callback', async () => {
    endpoint = await world.endpoint(2, { kind: 'callback' });
    const { body } = await call({ url: URL });
    const { headers, body: sent } = posted();
    expect(new Webhook(SECRET).sign(body.eventId, new Date(world.clock.now()), sent)).toBe(
      headers['webhook-signature'],
    );
  });

  test('is sent once for an idempotency key, and answered alike', async () => {
    const again = { headers: { 'idempotency-key': 'once' } };
    const first = await call({ url: URL }, again);
    expect((await call({ url: URL }, again)).body).toEqual(first.body);
    expect(world.posted).toHaveLength(1);
  });

  test('waits for the one before, so that an endpoint has one at a time', async () => {
    const unanswered = await call({ url: URL }, {}, async () => {});
    expect([unanswered.status, Object.keys(unanswered.body)]).toEqual([202, ['eventId']]);
    const tooSoon = await call({ url: URL });
    expect([tooSoon.status, Number(tooSoon.headers['retry-after'])]).toEqual([429, expect.any(Number)]);
    await world.work();
    world.clock.advance(Number(tooSoon.headers['retry-after']) * 1_000);
    expect((await call({ url: URL })).status).toBe(200);
    expect(world.posted).toHaveLength(2);
  });

  test('is not sent again when its worker ended before it kept the answer', async () => {
    let isDying = true;
    world = await deliveryWorld(database(), {
      wrap: (table) => ({
        ...table,
        write: async (change, ...wanted) => {
          if (isDying && 'update' in change && change.set?.attempt !== undefined) throw new Error('killed');
          return table.write(change, ...wanted);
        },
      }),
    });
    endpoint = await world.endpoint(3);
    expect((await call({ url: URL })).status).toBe(202);
    isDying = false;
    await world.pass(600_000);
    expect(world.posted).toHaveLength(1);
    expect(await world.table.get(urlTestKey(endpoint.id))).toMatchObject({
      attempt: { error: 'interrupted' },
    });
  });

  test('does not go out when it has waited for too long', async () => {
    await call({ url: URL }, {}, async () => {});
    world.clock.advance(46_000);
    await world.work();
    expect(world.posted).toEqual([]);
    expect(await world.table.get(urlTestKey(endpoint.id))).toMatchObject({ attempt: { error: 'too_late' } });
  });

  test('of an endpoint that is deleted meanwhile says so', async () => {
    const { body } = await call({ url: URL }, {}, async () => {
      await world.table.write({ delete: endpoint });
      await world.work();
    });
    expect(body.attempt).toMatchObject({ error: 'endpoint_deleted' });
    expect(world.posted).toEqual([]);
  });

  test('that took long is kept until its caller has read how it ended', async () => {
    world.farSide = () => {
      world.clock.advance(9_000);
      return { statusCode: 200 };
    };
    await call({ url: URL }, {}, async () => {});
    await world.work();
    const next = await call({ url: URL });
    expect([next.status, next.headers['retry-after']]).toEqual([429, '2']);
  });

  test('keeps neither the URL nor what was sent', async () => {
    await call({ url: URL });
    const row = await world.table.get(urlTestKey(endpoint.id));
    expect(row).toHaveProperty('attempt');
    expect(JSON.stringify(row)).not.toMatch(/elsewhere|endpoint\.test/);
  });

  test.each(['https://169.254.169.254/', 'http://elsewhere.example/', 'https://user:pw@elsewhere.example/'])(
    'refuses %s',
    async (url) => {
      const { status, body } = await call({ url });
      expect([status, body.errors.map((each: { path: string }) => each.path)]).toEqual([400, ['url']]);
      expect(world.posted).toEqual([]);
    },
  );

  test('is for admins alone', async () => {
    expect((await call({ url: URL }, { key: READER })).status).toBe(403);
  });
});
