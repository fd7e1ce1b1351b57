import { randomUUID } from 'node:crypto';
import type { Context, SQSEvent } from 'aws-lambda';
import { createTable, type Table } from '../../../lambdas/adapters/dynamodb/table.ts';
import { ExchangeError } from '../../../lambdas/adapters/http/exchange-error.ts';
import type { Answer, Exchange, SafeHttp } from '../../../lambdas/adapters/http/safe-http.ts';
import type { VideoLinks } from '../../../lambdas/adapters/video-link.ts';
import { createDeliver } from '../../../lambdas/deliver/deliver.ts';
import type { PutEvent } from '../../../lambdas/deliver/put-event.ts';
import { createDispatch } from '../../../lambdas/dispatch/dispatch.ts';
import type { DeliveryRow } from '../../../lambdas/domain/delivering/delivery.ts';
import type { EndpointRow, EndpointSecret } from '../../../lambdas/domain/delivering/endpoint.ts';
import { SLOW_MS } from '../../../lambdas/domain/delivering/gate/health.ts';
import type { EventType } from '../../../lambdas/domain/events/event-types.ts';
import { deliveryPartition, endpointKey, metaKey, outboxKey } from '../../../lambdas/domain/rows.ts';
import type { Due, Hint, Lane } from '../../../lambdas/domain/work.ts';
import { encodeHints } from '../../../lambdas/engine/hint-message.ts';
import { deletion } from '../../../lambdas/rows/endpoints.ts';
import { eventWrites } from '../../../lambdas/rows/outbox.ts';
import { movingClock, type TestClock, testClaims } from '../../support/claims.ts';
import { newTable, type TestDatabase } from '../../support/dynamodb.ts';
import { settle } from '../../support/lagging-reads.ts';
import { recordHints } from '../../support/recorded-hints.ts';
import { endpointRow } from '../../support/rows.ts';

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const LANES: Lane[] = ['dispatch', 'deliver', 'deliver-slow'];

/** A POST as the far side saw it. */
export type Posted = { at: number; url: string; id: string; headers: Record<string, string>; body: string };

/** What the far side does with a POST: a status, an answer, or a failure of the exchange. */
export type FarSide = (posted: Posted) => Outcome | Promise<Outcome>;
type Outcome = number | Partial<Answer> | ExchangeError;

export type DeliveryWorld = Awaited<ReturnType<typeof deliveryWorld>>;

/**
 * The dispatch and deliver stages over a table of their own, on a clock that tests turn; it moves by 1 ms at each read,
 * so that a hint whose time was read twice is wrong. Hints are checked, and only recorded: `work` plays the sweep, and
 * wakes what is due until nothing is.
 */
export async function deliveryWorld(
  { client }: TestDatabase,
  options: {
    /** In place of a far side that is played. */
    http?: SafeHttp;
    putEvent?: PutEvent;
    callbackSecrets?: EndpointSecret[];
    wrap?: (table: Table) => Table;
    /** Called at the end of each invocation. */
    onEnd?: () => void;
    clock?: TestClock;
    maxDeliveries?: number;
    videoLink?: VideoLinks;
    /** What an invocation has left of the function's time when it begins, ms. */
    remainingMs?: number;
  } = {},
) {
  const { clock = movingClock(), remainingMs = 60_000 } = options;
  const { now } = clock;
  const table = createTable(client, await newTable(client));
  const posted: Posted[] = [];
  const lines: unknown[] = [];
  const counted: string[] = [];
  const hints = recordHints(table);
  const world = { farSide: (() => 204) as FarSide };
  const errors: unknown[] = [];
  const log = {
    info: (...line: unknown[]) => void lines.push(line),
    error: (...line: unknown[]) => void errors.push(line),
  };
  const watches = new Set<() => void>();

  const played = {
    request: async ({ url, headers = {}, body = '' }: Exchange): Promise<Answer> => {
      const post = {
        at: now(),
        url,
        id: headers['webhook-id'] ?? '',
        headers: { ...headers },
        body: body.toString(),
      };
      posted.push(post);
      const answer = await world.farSide(post);
      if (answer instanceof ExchangeError) throw answer;
      const usual = { statusCode: 200, headers: {}, body: Buffer.alloc(0), truncated: false };
      return { ...usual, ...(typeof answer === 'number' ? { statusCode: answer } : answer) };
    },
  } as Partial<SafeHttp> as SafeHttp;

  const workersTable = options.wrap?.(table) ?? table;
  const claims = testClaims(workersTable, clock);
  const dispatch = createDispatch({ table: workersTable, claims, hints, now, retentionDays: 30, log });
  const deliver = createDeliver({
    table: workersTable,
    claims,
    hints,
    now,
    elapsed: now,
    random: () => 0,
    sleep: async (ms) => clock.advance(ms),
    after,
    http: options.http ?? played,
    putEvent: options.putEvent ?? (async () => ({ attempt: { at: now(), durationMs: 1, statusCode: 200 } })),
    callbackSecrets: async () => options.callbackSecrets ?? [{ secret: SECRET }],
    videoLink:
      options.videoLink ??
      (async (requestId) => ({ url: `https://bridge.example/${requestId}/token`, urlExpiresAt: '' })),
    retentionDays: 30,
    maxDeliveries: options.maxDeliveries ?? 50,
    log,
    count: (name) => void counted.push(name),
  });
  const handlers = { dispatch, deliver, 'deliver-slow': deliver };

  /** A watch on an attempt lasts until tests say so. */
  function after(_ms: number, act: () => void): () => void {
    watches.add(act);
    return () => watches.delete(act);
  }

  /** All attempts under way have lasted for so long that it is noticed. */
  function linger(): void {
    clock.advance(SLOW_MS);
    for (const noticed of watches) noticed();
  }

  /** Hands rows to a stage as one message. */
  async function invoke(lane: Lane, due: readonly Hint[]): Promise<void> {
    const handler = handlers[lane as keyof typeof handlers];
    const event = { Records: [{ messageId: 'sweep', body: encodeHints(lane, due) }] } as SQSEvent;
    await handler(event, { getRemainingTimeInMillis: () => remainingMs } as Context);
    options.onEnd?.();
  }

  /**
   * Works until nothing is due any more; time passes only where workers wait for a slot.
   *
   * @returns when something is due next, at `end` at the latest
   */
  async function work(end = now()): Promise<number> {
    let settled = false;
    for (let rounds = 0; rounds < 5_000; rounds++) {
      const next = await round(end);
      if (next === undefined) settled = false;
      else if (settled) return next;
      else {
        settle();
        settled = true;
      }
    }
    throw new Error('the work does not come to its end');
  }

  /** Hands to the stages what the index shows as due; when it shows nothing, tells what is due next. */
  async function round(end: number): Promise<number | undefined> {
    let next: number | undefined = end;
    for (const lane of LANES) {
      const shown = await table.due(lane, Math.max(end, now()), 20);
      const ready = shown.filter(({ dueAt }) => dueAt <= now());
      if (ready.length > 0) {
        next = undefined;
        await invoke(lane, ready);
      } else if (next !== undefined) next = Math.min(next, shown[0]?.dueAt ?? end);
    }
    return next;
  }

  /** The rows of a lane that are due, now or by a later time. */
  function due(lane: string, upTo = now()): Promise<Hint[]> {
    settle();
    return table.due(lane, upTo, 100);
  }

  /** Works, turning the clock from one due time to the next, until `ms` have passed. */
  async function pass(ms: number): Promise<void> {
    const end = now() + ms;
    for (let next = await work(end); now() < end; next = await work(end)) {
      clock.advance(Math.max(1, next - now()));
    }
  }

  /** An endpoint with a secret; `n` makes its id. A callback's URL is its own. */
  async function endpoint(n: number, changes: Partial<EndpointRow> = {}): Promise<EndpointRow> {
    const row = endpointRow(n, {
      url: `https://receiver-${n}.example/hook`,
      ...(changes.kind === 'callback' ? {} : { secrets: [{ secret: SECRET }] }),
      ...changes,
    });
    const stored = { ...row, ...endpointKey(row.id) };
    await table.write({ put: stored });
    return stored;
  }

  /** Deletes an endpoint and creates it again, as a callback that is named again. Returns the cancellation. */
  async function namedAgain({ id }: EndpointRow): Promise<Due> {
    const row = await current({ id });
    const { writes, due } = deletion(row, now(), 30);
    await table.transact(writes);
    clock.advance(1);
    const { lane, dueAt, owner, claims, quietSince, ...kept } = row;
    await table.write({
      put: {
        ...kept,
        createdAt: now(),
        stateVersion: 0,
        health: { state: 'healthy', lastDeliveredAt: now() },
      },
    });
    return due;
  }

  /** A request that observes events; `callbacks` are named on it. */
  async function request(...callbacks: EndpointRow[]) {
    const source = { kind: 'request', requestId: randomUUID() } as const;
    let counters = { sequence: 0, position: 0 };
    const named = callbacks.map(({ id, url = '' }) => ({ endpointId: id, url, events: ['video.*'] }));
    await table.write({ put: { ...metaKey(source.requestId), metadata: {}, callbacks: named } });
    await table.write({
      put: {
        ...outboxKey(source),
        accountCursor: { position: 0 },
        callbackCursors: Object.fromEntries(named.map(({ endpointId }) => [endpointId, 0])),
      },
    });
    async function observe(...types: EventType[]): Promise<void> {
      clock.advance(1);
      const drafts = types.map((type) => ({ type, data: { status: type.slice('video.'.length) } }));
      const events = eventWrites(source, counters, drafts, now());
      await table.transact(events.writes);
      counters = events.counters;
    }
    return { requestId: source.requestId, observe };
  }

  const deliveries = async ({ id }: EndpointRow): Promise<DeliveryRow[]> =>
    (await table.query<DeliveryRow>({ partition: deliveryPartition(id), limit: 1_000, consistent: true }))
      .rows;
  const current = async ({ id }: Pick<EndpointRow, 'id'>): Promise<EndpointRow> => {
    const row = await table.get<EndpointRow>(endpointKey(id));
    if (!row) throw new Error('the endpoint is deleted');
    return row;
  };
  const idsPostedTo = ({ url }: EndpointRow): string[] =>
    posted.filter((post) => post.url === url).map(({ id }) => id);

  return Object.assign(world, {
    table,
    clock,
    posted,
    lines,
    errors,
    linger,
    counted,
    hints,
    invoke,
    work,
    pass,
    due,
    endpoint,
    request,
    deliveries,
    current,
    namedAgain,
    idsPostedTo,
  });
}
