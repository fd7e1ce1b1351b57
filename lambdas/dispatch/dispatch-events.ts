import { type Claim, dueAfter, owned, releaseWrite } from '../adapters/claims.ts';
import type { Hints } from '../adapters/hints.ts';
import type { Table, Write } from '../adapters/table.ts';
import type { EndpointRow } from '../domain/endpoint.ts';
import { isProven } from '../domain/endpoint.ts';
import type { EventRow } from '../domain/event.ts';
import {
  type Audience,
  type Cursors,
  type FanOut,
  lowestCursor,
  newDelivery,
  nextBatch,
} from '../domain/fan-out.ts';
import type { OutboxRow } from '../domain/outbox.ts';
import type { MetaRow } from '../domain/request.ts';
import { ENDPOINTS, endpointKey, eventKey, metaKey, sourceOf } from '../domain/rows.ts';
import { type Hint, type Lane, LEASE_MS } from '../domain/work.ts';

export type DispatchDependencies = {
  readonly table: Table;
  readonly hints: Pick<Hints, 'send'>;
  readonly now: () => number;
  readonly log: { info(message: string, extra: Record<string, unknown>): void };
};

const EVENTS_PER_PAGE = 25;
/** Deliveries in one transaction, which takes 100 writes. */
const MOST_DELIVERIES = 90;
const MOST_ENDPOINTS = 100;

/**
 * Fans the events of one claimed outbox out, in order: each batch is one transaction of delivery
 * rows and the cursor, under the outbox's claim.
 *
 * The events are read before the endpoints, and both consistently, so an endpoint that existed when
 * an event was written is seen; a callback added meanwhile takes the claim away. That is why no
 * version of the endpoint list needs to be checked.
 */
export function createDispatchEvents({ table, hints, now, log }: DispatchDependencies) {
  return async function dispatchEvents(claim: Claim<OutboxRow>): Promise<void> {
    let cursors = cursorsOf(claim.row);
    for (let drained = false; !drained; ) {
      const events = await eventsAfter(claim.row.pk, lowestCursor(cursors));
      const { audience, metadata } = await audienceOf(claim.row.pk);
      do {
        const batch = nextBatch(cursors, events.rows, audience, MOST_DELIVERIES);
        cursors = batch.cursors;
        drained = !events.more && isPast(cursors, events.rows);
        await commit(claim, batch.deliveries, cursors, metadata, drained);
      } while (!isPast(cursors, events.rows));
    }
  };

  /** One transaction of deliveries and the cursors, which ends the claim when nothing is left. */
  async function commit(
    claim: Claim<OutboxRow>,
    deliveries: readonly FanOut[],
    cursors: Cursors,
    metadata: Record<string, string> | undefined,
    drained: boolean,
  ): Promise<void> {
    const at = now();
    const rows = deliveries.map((fanOut) => ({
      ...newDelivery(fanOut, metadata, at),
      lane: laneFor(fanOut.endpoint),
      dueAt: at,
    }));
    const outbox = drained ? releaseWrite(claim, { set: cursorsOf(cursors) }) : advance(claim, cursors, at);
    const writes: Write[] = [
      outbox,
      ...rows.map((row): Write => ({ put: row, if: [{ attribute: 'pk', is: 'absent' }] })),
    ];
    if (writes.length === 1) await table.write(outbox);
    else await table.transact(writes);
    log.info('dispatched', { source: claim.row.pk, deliveries: rows.map((row) => row.id) });
    for (const lane of ['deliver', 'deliver-slow'] as const) {
      const due = rows.filter((row) => row.lane === lane);
      if (due.length > 0) await hints.send(lane, due satisfies Hint[]);
    }
  }

  /** Moves the cursors and keeps the claim, with a new lease. */
  function advance(claim: Claim<OutboxRow>, cursors: Cursors, at: number): Write {
    claim.leaseEnd = dueAfter(claim, at + LEASE_MS);
    return { update: claim.row, set: { ...cursorsOf(cursors), dueAt: claim.leaseEnd }, if: [owned(claim)] };
  }

  async function eventsAfter(pk: string, position: number): Promise<{ rows: EventRow[]; more: boolean }> {
    return table.query<EventRow>({
      partition: pk,
      after: eventKey(sourceOf(pk), position).sk,
      prefix: 'EVENT#',
      limit: EVENTS_PER_PAGE,
      consistent: true,
    });
  }

  async function audienceOf(pk: string): Promise<{ audience: Audience; metadata?: Record<string, string> }> {
    const source = sourceOf(pk);
    if (source.kind === 'endpoint') {
      const [account, tested] = await Promise.all([
        accountEndpoints(),
        table.get<EndpointRow>(endpointKey(source.endpointId)),
      ]);
      const others = account.filter((endpoint) => endpoint.id !== source.endpointId);
      const all = tested ? [...others, tested].sort((a, b) => (a.id < b.id ? -1 : 1)) : others;
      return { audience: { account: all, callbacks: [] } };
    }
    const [account, meta] = await Promise.all([
      accountEndpoints(),
      table.get<MetaRow>(metaKey(source.requestId)),
    ]);
    const callbacks = meta?.callbacks ?? [];
    const endpoints = await table.getMany<EndpointRow>(
      callbacks.map((callback) => endpointKey(callback.endpointId)),
    );
    return {
      audience: {
        account,
        callbacks: callbacks.map((callback) => ({
          callback,
          endpoint: endpoints.find((endpoint) => endpoint.id === callback.endpointId),
        })),
      },
      metadata: meta?.metadata,
    };
  }

  async function accountEndpoints(): Promise<EndpointRow[]> {
    const { rows } = await table.query<EndpointRow>({
      partition: ENDPOINTS,
      limit: MOST_ENDPOINTS,
      consistent: true,
    });
    return rows;
  }
}

const cursorsOf = ({ accountCursor, callbackCursors }: Partial<Cursors>): Cursors => ({
  accountCursor: accountCursor ?? { position: 0 },
  callbackCursors: callbackCursors ?? {},
});

const isPast = (cursors: Cursors, events: readonly EventRow[]): boolean =>
  lowestCursor(cursors) >= (events.at(-1)?.position ?? 0);

/** First attempts to endpoints that answer well use the fast queue; all others the slow one. */
const laneFor = (endpoint: EndpointRow): Lane =>
  endpoint.enabled && isProven(endpoint) ? 'deliver' : 'deliver-slow';
