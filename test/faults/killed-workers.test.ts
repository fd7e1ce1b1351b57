import { randomUUID } from 'node:crypto';
import type { Context, SQSEvent } from 'aws-lambda';
import { expect, test } from 'vitest';
import { createTable, type Table } from '../../lambdas/adapters/dynamodb/table.ts';
import type { SafeHttp } from '../../lambdas/adapters/http/safe-http.ts';
import { createDeliver } from '../../lambdas/deliver/deliver.ts';
import { createDispatch } from '../../lambdas/dispatch/dispatch.ts';
import type { DeliveryRow } from '../../lambdas/domain/delivering/delivery.ts';
import type { EventRow } from '../../lambdas/domain/events/event.ts';
import type { RequestRow } from '../../lambdas/domain/requests/request.ts';
import { deliveryPartition, endpointKey, metaKey, outboxKey, requestKey } from '../../lambdas/domain/rows.ts';
import { LANES, type Lane } from '../../lambdas/domain/work.ts';
import { createClaims } from '../../lambdas/engine/claims.ts';
import { encodeHints } from '../../lambdas/engine/hint-message.ts';
import { createPoll } from '../../lambdas/poll/poll.ts';
import { testClock } from '../support/claims.ts';
import { newTable, useDatabase } from '../support/dynamodb.ts';
import { settle } from '../support/lagging-reads.ts';
import { endpointRow, requestRow } from '../support/rows.ts';
import { TRANSITION_SETTINGS } from '../support/transition.ts';
import { killAtCalls } from './crash-points.ts';
import { type Death, mortal } from './mortal-worker.ts';

const database = useDatabase();

/** What upstream says, by seconds since the start. */
const SCRIPT: [number, string][] = [
  [0, 'processing'],
  [60, 'complete'],
];
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

/**
 * Runs one request from registration to its last delivery on virtual time, with no message ever
 * arriving: only the sweep's view of the table wakes workers. The first worker dies where planned; those
 * after it live. Returns what is left, and what the receivers got.
 */
async function run(death: Death | undefined) {
  const { client } = database();
  const table = createTable(client, await newTable(client));
  const clock = testClock();
  const start = clock.now();
  const received: { endpoint: string; id: string }[] = [];
  const requestId = randomUUID();
  const source = { kind: 'request', requestId } as const;
  const account = endpointRow(1, { url: 'https://a.example/', secrets: [{ secret: SECRET }] });
  const callback = endpointRow(2, { kind: 'callback', url: 'https://b.example/' });
  await register();

  let worker = createWorker(death);
  let died = false;
  for (let step = 0; await work(); step++) {
    if (step > 500) throw new Error('the work does not come to its end');
    if (!worker.isDead()) continue;
    died = true;
    worker = createWorker(undefined);
  }

  const rows = async <T extends { pk: string; sk: string }>(partition: string, prefix?: string) =>
    (await table.query<T>({ partition, prefix, limit: 1_000, consistent: true })).rows;
  return {
    /** Whether the first worker came as far as its death, and the calls that the last one made. */
    died,
    calls: worker.calls(),
    request: await table.get<RequestRow>(requestKey(requestId)),
    events: await rows<EventRow>(requestKey(requestId).pk, 'EVENT#'),
    deliveries: await Promise.all(
      [account, callback].map(({ id }) => rows<DeliveryRow>(deliveryPartition(id))),
    ),
    received,
  };

  async function register(): Promise<void> {
    const dueAt = clock.now();
    const callbacks = [{ endpointId: callback.id, url: callback.url, events: ['video.*'] }];
    const cursors = { accountCursor: { position: 0 }, callbackCursors: { [callback.id]: 0 } };
    for (const endpoint of [account, callback])
      await table.write({ put: { ...endpoint, ...endpointKey(endpoint.id) } });
    await table.write({ put: { ...metaKey(requestId), metadata: {}, callbacks } });
    await table.write({ put: { ...outboxKey(source), ...cursors } });
    await table.write({
      put: {
        ...requestRow({ requestId, copy: false, registeredAt: dueAt, startedAt: dueAt }),
        lane: 'poll',
        dueAt,
      },
    });
  }

  /** One round of the sweep, after turning the clock to the next due time. False when nothing is left to do. */
  async function work(): Promise<boolean> {
    settle();
    const lanes = await Promise.all(
      LANES.map(async (lane) => ({ lane, rows: await table.due(lane, Number.MAX_SAFE_INTEGER, 10) })),
    );
    const next = Math.min(...lanes.flatMap(({ rows }) => rows.map(({ dueAt }) => dueAt)));
    if (next === Number.POSITIVE_INFINITY) return false;
    clock.advance(Math.max(0, next - clock.now()));
    for (const { lane, rows } of lanes) {
      const due = rows.filter(({ dueAt }) => dueAt <= clock.now());
      if (due.length === 0) continue;
      const records = [{ messageId: 'sweep', body: encodeHints(lane, due) }];
      await worker.handler(lane)({ Records: records } as SQSEvent, LONG_LIVED);
    }
    return true;
  }

  function createWorker(end: Death | undefined) {
    const life = mortal(end);
    const mine: Table = life.table(table);
    const { now } = clock;
    const hints = { send: async () => {}, sendPacked: async () => {} };
    const log = { info: () => {}, error: () => {} };
    const random = () => 0.5;
    const claims = createClaims(mine, now, randomUUID);
    const upstream = async () => {
      const status = SCRIPT.findLast(([at]) => now() - start >= at * 1_000)?.[1] ?? '';
      return { kind: 'status' as const, status: { status } };
    };
    const farSide = async ({ url, headers }: { url: string; headers?: Readonly<Record<string, string>> }) => {
      const id = headers?.['webhook-id'] ?? '';
      received.push({ endpoint: url, id });
      const refused = received.length % 3 === 1;
      const answer = { headers: {}, body: Buffer.from(''), truncated: false };
      return { ...answer, statusCode: refused ? 500 : 200 };
    };
    const poll = createPoll({
      settings: TRANSITION_SETTINGS,
      table: mine,
      claims,
      hints,
      now,
      random,
      sleep: async () => {},
      topaz: { status: () => life.call(upstream) },
      perSecond: 5,
      retentionDays: 30,
      onPause: () => {},
      count: () => {},
      log,
    });
    const dispatch = createDispatch({ table: mine, claims, hints, now, retentionDays: 30, log });
    const deliver = createDeliver({
      table: mine,
      claims,
      hints,
      now,
      elapsed: now,
      random,
      sleep: never,
      after: () => () => {},
      concurrency: 1,
      http: { request: (exchange) => life.call(() => farSide(exchange)) } as SafeHttp,
      putEvent: async () => ({ attempt: { at: now(), durationMs: 0, statusCode: 200 } }),
      retentionDays: 30,
      maxDeliveries: 50,
      callbackSecrets: async () => [{ secret: SECRET }],
      videoLink: async () => ({ url: '', urlExpiresAt: '' }),
      log,
      count: () => {},
    });
    const handlers: Partial<Record<Lane, typeof poll>> = { poll, dispatch, deliver, 'deliver-slow': deliver };
    return {
      isDead: life.isDead,
      calls: life.calls,
      handler: (lane: Lane) => handlers[lane] as typeof poll,
    };
  }
}

/** Nothing takes long here. */
const never = () => new Promise<void>(() => {});

const LONG_LIVED = { getRemainingTimeInMillis: () => 60_000 } as Context;

function check({ request, events, deliveries, received }: Awaited<ReturnType<typeof run>>): void {
  expect(request).toMatchObject({ status: 'complete', state: 'done', sequence: events.length });
  // A worker’s death may hide a status that was short, but never doubles, reorders or renumbers one.
  const statuses = events.map((event) => String(event.data.status));
  const order = SCRIPT.map(([, status]) => status);
  expect(statuses).toEqual(order.filter((status) => statuses.includes(status)));
  expect(statuses.at(-1)).toBe('complete');
  expect(events.map((event) => event.data.sequence)).toEqual(events.map((_, i) => i + 1));
  expect(events.map((event) => event.data.previousStatus)).toEqual([null, ...statuses.slice(0, -1)]);

  const ids = events.map((event) => event.id);
  for (const [i, rows] of deliveries.entries()) {
    expect(rows.map((row) => row.eventId)).toEqual(ids);
    expect(rows.map((row) => row.state)).toEqual(ids.map(() => 'delivered'));
    const endpoint = ['https://a.example/', 'https://b.example/'][i];
    const got = new Set(received.filter((webhook) => webhook.endpoint === endpoint).map(({ id }) => id));
    expect([...got].sort()).toEqual(ids);
  }
}

test('every event is numbered once and delivered to everybody, at whatever call a worker is killed', {
  timeout: 120_000,
}, async () => {
  await killAtCalls(8, async (death) => {
    const end = await run(death);
    check(end);
    return end;
  });
});
