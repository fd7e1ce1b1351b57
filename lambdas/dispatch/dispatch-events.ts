import { absent } from '../adapters/dynamodb/expression.ts';
import { ConditionFailed, type Table, type Write } from '../adapters/dynamodb/table.ts';
import { entryWrite } from '../adapters/rows/backlog.ts';
import { createEndpoints } from '../adapters/rows/endpoints.ts';
import { readCallbackTargets } from '../adapters/rows/targets.ts';
import type { DeliveryRow } from '../domain/delivering/delivery.ts';
import type { EndpointRow } from '../domain/delivering/endpoint.ts';
import {
  type Audience,
  type Cursors,
  type FanOut,
  lowestCursor,
  newDeliveries,
  nextBatch,
} from '../domain/delivering/fan-out.ts';
import type { EventRow } from '../domain/events/event.ts';
import type { OutboxRow } from '../domain/events/outbox.ts';
import type { MetaRow } from '../domain/requests/request.ts';
import { eventExpiry } from '../domain/retention.ts';
import { endpointKey, eventKey, metaKey, sourceOf } from '../domain/rows.ts';
import { type Hint, LEASE_MS, type RowKey } from '../domain/work.ts';
import { type Claim, dueAfter, owned, releaseWrite } from '../engine/claims.ts';
import type { HintMessage, Hints } from '../engine/hints.ts';

export type DispatchDependencies = {
  readonly table: Table;
  readonly hints: Pick<Hints, 'sendPacked'>;
  readonly now: () => number;
  readonly retentionDays: number;
  readonly log: { info(message: string, extra: Record<string, unknown>): void };
};

const EVENTS_PER_PAGE = 25;
/** Deliveries in one transaction, which takes 100 writes; one that waits takes two. */
const MOST_DELIVERIES = 45;
/** An endpoint's deliveries in one message, which are worked on in order; slow ones need time each. */
const DELIVERIES_PER_MESSAGE = { deliver: 10, 'deliver-slow': 3 };

/** What leads from an outbox: the events that are new to somebody, and what is said of their request. */
type Page = { readonly events: EventRow[]; readonly more: boolean; readonly meta: MetaRow | undefined };

/** A delivery, and what writes it: itself first. */
type Planned = { readonly row: DeliveryRow; readonly writes: readonly Write[] };

/**
 * Fans the events of one claimed outbox out, in order: each batch is one transaction of delivery
 * rows and the cursor, under the outbox's claim.
 *
 * The events are read before the endpoints, and both consistently, so an endpoint that existed when
 * an event was written is seen; a callback added meanwhile takes the claim away. That is why no
 * version of the endpoint list needs to be checked.
 */
export function createDispatchEvents({ table, hints, now, retentionDays, log }: DispatchDependencies) {
  const { listAccountWide } = createEndpoints(table);

  return async function dispatchEvents(claim: Claim<OutboxRow>): Promise<void> {
    let cursors = cursorsOf(claim.row);
    let { chains = {} } = claim.row;
    for (let drained = false; !drained; ) {
      const { events, more, meta } = await pageAfter(claim.row.pk, lowestCursor(cursors));
      const audience = await audienceOf(claim.row.pk, meta);
      do {
        const batch = nextBatch(cursors, events, audience, MOST_DELIVERIES);
        const fresh = newDeliveries(batch.deliveries, chains, meta?.metadata, now());
        ({ cursors } = batch);
        ({ chains } = fresh);
        drained = !more && isPast(cursors, events);
        await commit(claim, batch.deliveries, fresh.rows, { ...cursorsOf(cursors), chains }, drained);
      } while (!isPast(cursors, events));
    }
  };

  /** One transaction of deliveries and the cursors, which ends the claim when nothing is left. */
  async function commit(
    claim: Claim<OutboxRow>,
    batch: readonly FanOut[],
    planned: readonly DeliveryRow[],
    progress: Cursors & Pick<OutboxRow, 'chains'>,
    drained: boolean,
  ): Promise<void> {
    const outbox = drained ? releaseWrite(claim, { set: progress }) : advance(claim, progress);
    const rows = await writeNew(
      outbox,
      planned.map((row, i) => ({ row, writes: writesOf(row, batch[i]?.target.endpoint) })),
    );
    log.info('dispatched', { source: claim.row.pk, deliveries: rows.map((row) => row.id) });
    for (const lane of ['deliver', 'deliver-slow'] as const) {
      const due = rows.filter((row) => row.lane === lane) as (DeliveryRow & Hint)[];
      if (due.length > 0) await hints.sendPacked(lane, byEndpoint(due, DELIVERIES_PER_MESSAGE[lane]));
    }
  }

  /**
   * Writes the deliveries that are not there yet, and returns them. Some are when a callback begins
   * anew after its endpoint was deleted: what it was sent before, or would have been, stays as it is.
   */
  async function writeNew(outbox: Write, planned: readonly Planned[]): Promise<DeliveryRow[]> {
    const deliveries = planned.flatMap(({ writes }) => writes);
    try {
      if (deliveries.length === 0) await table.write(outbox);
      else await table.transact([outbox, ...deliveries]);
      return planned.map(({ row }) => row);
    } catch (error) {
      if (!(error instanceof ConditionFailed) || error.failed.includes(0)) throw error;
      const there = error.failed.map((place) => deliveries[place - 1]);
      return writeNew(
        outbox,
        planned.filter(({ writes: [put] }) => !there.includes(put)),
      );
    }
  }

  /** A delivery, and its place in the backlog that it begins in. What no client fetches goes with its event. */
  function writesOf(row: DeliveryRow, endpoint: EndpointRow | undefined): Write[] {
    const expiresAt = endpoint?.kind === 'pull' ? eventExpiry(now(), retentionDays) : undefined;
    const put: Write = { put: { ...row, expiresAt }, if: [absent('pk')] };
    return row.backlogKey ? [put, entryWrite(row.backlogKey, { ...row, expiresAt })] : [put];
  }

  /** Moves the cursors and keeps the claim, with a new lease. */
  function advance(claim: Claim<OutboxRow>, progress: Partial<OutboxRow>): Write {
    claim.leaseEnd = dueAfter(claim, now() + LEASE_MS);
    return { update: claim.row, set: { ...progress, dueAt: claim.leaseEnd }, if: [owned(claim)] };
  }

  /** The next events of a source, and in the same read META, which follows them in the partition. */
  async function pageAfter(pk: string, position: number): Promise<Page> {
    const source = sourceOf(pk);
    const after = eventKey(source, position).sk;
    const meta = source.kind === 'request' ? metaKey(source.requestId) : undefined;
    const page = await table.query<RowKey>({
      partition: pk,
      after,
      upTo: meta?.sk ?? 'EVENT#\uffff',
      limit: EVENTS_PER_PAGE + 2,
      consistent: true,
    });
    const events = page.rows.filter(({ sk }) => sk.startsWith('EVENT#')) as EventRow[];
    const read = page.rows.find(({ sk }) => sk === meta?.sk) as MetaRow | undefined;
    const more = page.more && !read;
    return { events, more, meta: read ?? (meta && more ? await table.get<MetaRow>(meta) : undefined) };
  }

  async function audienceOf(pk: string, meta: MetaRow | undefined): Promise<Audience> {
    const source = sourceOf(pk);
    const callbacks = meta?.callbacks ?? [];
    const [account, told, targets] = await Promise.all([
      listAccountWide(),
      source.kind === 'endpoint' ? readTold(source.endpointId) : undefined,
      callbacks.length > 0 ? readCallbackTargets(table, callbacks) : [],
    ]);
    const others = account.filter(({ id }) => id !== told?.endpoint.id).map(itself);
    return {
      account: told ? [...others, told].sort((a, b) => (a.endpoint.id < b.endpoint.id ? -1 : 1)) : others,
      callbacks: callbacks.map((callback, i) => ({ callback, target: targets[i] })),
    };
  }

  /** The endpoint that events of its own are about; it alone is told of a test. */
  async function readTold(endpointId: string) {
    const endpoint = await table.get<EndpointRow>(endpointKey(endpointId));
    if (endpoint?.kind !== 'callback') return endpoint && itself(endpoint);
    const [target] = await readCallbackTargets(table, [{ endpointId, url: endpoint.url ?? '' }]);
    return target;
  }
}

/** An account-wide endpoint is its own gate. */
const itself = (endpoint: EndpointRow) => ({ endpoint, gate: endpoint });

const cursorsOf = ({ accountCursor, callbackCursors }: Partial<Cursors>): Cursors => ({
  accountCursor: accountCursor ?? { position: 0 },
  callbackCursors: callbackCursors ?? {},
});

const isPast = (cursors: Cursors, events: readonly EventRow[]): boolean =>
  lowestCursor(cursors) >= (events.at(-1)?.position ?? 0);

/** Messages of one endpoint's rows each, in order. */
function byEndpoint(due: readonly Hint[], most: number): HintMessage[] {
  return [...Map.groupBy(due, ({ pk }) => pk)].flatMap(([group, rows]) =>
    Array.from({ length: Math.ceil(rows.length / most) }, (_, n) => ({
      group,
      hints: rows.slice(n * most, (n + 1) * most),
    })),
  );
}
