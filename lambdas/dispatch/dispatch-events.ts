import { ConditionFailed } from '../adapters/dynamodb/condition-failed.ts';
import { absent, type Write } from '../adapters/dynamodb/expression.ts';

import { firstRefused } from '../adapters/dynamodb/optimistic.ts';
import type { Table } from '../adapters/dynamodb/table.ts';
import { chunks } from '../domain/chunks.ts';
import type { DeliveryRow } from '../domain/delivering/delivery.ts';
import type { EndpointRow, Target } from '../domain/delivering/endpoint.ts';
import { isCallback, isFetched } from '../domain/delivering/endpoint-kinds/endpoint-kinds.ts';
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
import { EVENTS, endpointKey, eventKey, metaKey, sourceOf } from '../domain/rows.ts';
import type { Hint, RowKey } from '../domain/work.ts';
import {
  againWrite,
  type Claim,
  type Claims,
  type ClaimWrite,
  finishWrite,
  progressWrite,
} from '../engine/claims.ts';
import type { HintMessage, Hints } from '../engine/hints.ts';
import type { WorkContext } from '../engine/stage.ts';
import { entryWrite } from '../rows/backlog.ts';
import { createEndpoints } from '../rows/endpoints.ts';
import { readCallbackTargets } from '../rows/targets.ts';

/** What the dispatch stage works with. */
export type DispatchDependencies = {
  readonly table: Table;
  readonly claims: Claims;
  readonly hints: Pick<Hints, 'send' | 'sendPacked'>;
  readonly now: () => number;
  readonly retentionDays: number;
  readonly log: { info(message: string, extra: Record<string, unknown>): void };
};

const EVENTS_PER_PAGE = 25;
/** Deliveries in one transaction, which takes 100 writes; one that waits takes two. */
const MOST_DELIVERIES = 45;
/** An endpoint's deliveries in one message, which are worked on in order; slow ones need time each. */
const DELIVERIES_PER_MESSAGE = { deliver: 10, 'deliver-slow': 3 };

/** Whether a fan-out goes on after a batch: at once, by another worker, or not, since nothing is left. */
type Next = 'go on' | 'later' | 'done';

/** The next events of an outbox, and the metadata and callbacks of their request. */
type Page = { readonly events: EventRow[]; readonly more: boolean; readonly meta: MetaRow | undefined };

/** A delivery, and its writes: its own first. */
type Planned = { readonly row: DeliveryRow; readonly writes: readonly Write[] };

/**
 * Fans the events of one claimed outbox out, in order: each batch is one transaction of delivery
 * rows and the cursor, under the outbox's claim.
 *
 * The events are read before the endpoints, and both consistently, so an endpoint that existed when
 * an event was written is seen; a callback added meanwhile takes the claim away. That is why no
 * version of the endpoint list needs to be checked.
 */
export function createDispatchEvents(dependencies: DispatchDependencies) {
  const { table, claims, hints, now, retentionDays, log } = dependencies;
  const { listAccountWide } = createEndpoints(table);

  return async function dispatchEvents(claim: Claim<OutboxRow>, context: WorkContext): Promise<void> {
    let cursors = cursorsOf(claim.row);
    let { chains = {} } = claim.row;
    for (let next: Next = 'go on'; next === 'go on'; ) {
      const { events, more, meta } = await pageAfter(claim.row.pk, lowestCursor(cursors));
      const audience = await audienceOf(claim.row.pk, meta);
      do {
        const batch = nextBatch(cursors, events, audience, MOST_DELIVERIES);
        const fresh = newDeliveries(batch.deliveries, chains, meta?.metadata, now());
        ({ cursors } = batch);
        ({ chains } = fresh);
        const isDone = !more && isPast(cursors, events);
        next = isDone ? 'done' : now() > context.deadline ? 'later' : 'go on';
        const progress = { ...cursorsOf(cursors), chains };
        await commit(claim, batch.deliveries, fresh.rows, progress, next, context);
      } while (next === 'go on' && !isPast(cursors, events));
    }
  };

  /**
   * One transaction of deliveries and the cursors. It ends the claim when nothing is left, or when this
   * worker's time is up.
   */
  async function commit(
    claim: Claim<OutboxRow>,
    batch: readonly FanOut[],
    planned: readonly DeliveryRow[],
    progress: Cursors & Pick<OutboxRow, 'chains'>,
    next: Next,
    { hint }: WorkContext,
  ): Promise<void> {
    const outbox = outboxWrite(claim, progress, next);
    const rows = await writeNew(
      claim,
      outbox,
      planned.map((row, i) => ({ row, writes: writesOf(row, batch[i]?.target.endpoint) })),
    );
    log.info('dispatched', { source: claim.row.pk, deliveries: rows.map((row) => row.id) });
    for (const lane of ['deliver', 'deliver-slow'] as const) {
      const inLane = rows.filter((row) => row.lane === lane) as (DeliveryRow & Hint)[];
      if (inLane.length > 0) await hints.sendPacked(lane, byEndpoint(inLane, DELIVERIES_PER_MESSAGE[lane]));
    }
    await hint(outbox.due);
  }

  function outboxWrite(claim: Claim<OutboxRow>, set: Partial<OutboxRow>, next: Next): ClaimWrite {
    if (next === 'done') return finishWrite(claim, { set });
    return next === 'later' ? againWrite(claim, now(), { set }) : progressWrite(claim, now(), set);
  }

  /**
   * Writes the deliveries that are not there yet, and returns them. Some are when a callback was named
   * again after its deletion: the deliveries to the deleted one stay as they are.
   */
  async function writeNew(
    claim: Claim,
    outbox: ClaimWrite,
    planned: readonly Planned[],
  ): Promise<DeliveryRow[]> {
    const deliveries = planned.flatMap(({ writes }) => writes);
    try {
      await claims.commit(claim, outbox, deliveries);
      return planned.map(({ row }) => row);
    } catch (error) {
      if (!(error instanceof ConditionFailed) || firstRefused(error)) throw error;
      const there = error.failed.map((place) => deliveries[place - 1]);
      return writeNew(
        claim,
        outbox,
        planned.filter(({ writes: [put] }) => !there.includes(put)),
      );
    }
  }

  /** A delivery, and its place in the backlog that it begins in. One that no client fetches expires with its event. */
  function writesOf(row: DeliveryRow, endpoint: EndpointRow | undefined): Write[] {
    const expiresAt = endpoint && isFetched(endpoint) ? eventExpiry(now(), retentionDays) : undefined;
    const put: Write = { put: { ...row, expiresAt }, if: [absent('pk')] };
    return row.backlogKey ? [put, entryWrite(row.backlogKey, { ...row, expiresAt })] : [put];
  }

  /** The next events of a source, and in the same read META, which follows them in the partition. */
  async function pageAfter(pk: string, position: number): Promise<Page> {
    const source = sourceOf(pk);
    const after = eventKey(source, position).sk;
    const meta = source.kind === 'request' ? metaKey(source.requestId) : undefined;
    const page = await table.query<RowKey>({
      partition: pk,
      after,
      upTo: meta?.sk ?? `${EVENTS}\uffff`,
      limit: EVENTS_PER_PAGE + 2,
      consistent: true,
    });
    const events = page.rows.filter(({ sk }) => sk.startsWith(EVENTS)) as EventRow[];
    const read = page.rows.find(({ sk }) => sk === meta?.sk) as MetaRow | undefined;
    const more = page.more && !read;
    return { events, more, meta: read ?? (meta && more ? await table.get<MetaRow>(meta) : undefined) };
  }

  async function audienceOf(pk: string, meta: MetaRow | undefined): Promise<Audience> {
    const source = sourceOf(pk);
    const callbacks = meta?.callbacks ?? [];
    const [account, subject, targets] = await Promise.all([
      listAccountWide(),
      source.kind === 'endpoint' ? readSubject(source.endpointId) : undefined,
      callbacks.length > 0 ? readCallbackTargets(table, callbacks) : [],
    ]);
    const others = account.filter(({ id }) => id !== subject?.endpoint.id).map(itself);
    return {
      account: subject
        ? [...others, subject].sort((a, b) => (a.endpoint.id < b.endpoint.id ? -1 : 1))
        : others,
      callbacks: callbacks.map((callback, i) => ({ callback, target: targets[i] })),
    };
  }

  /** The endpoint that the events of its own outbox are about; only it receives a test. */
  async function readSubject(endpointId: string) {
    const endpoint = await table.get<EndpointRow>(endpointKey(endpointId));
    if (!endpoint || !isCallback(endpoint)) return endpoint && itself(endpoint);
    const [target] = await readCallbackTargets(table, [{ endpointId, url: endpoint.url ?? '' }]);
    return target;
  }
}

const itself = (endpoint: EndpointRow): Target => ({ endpoint });

const cursorsOf = ({ accountCursor, callbackCursors }: Partial<Cursors>): Cursors => ({
  accountCursor: accountCursor ?? { position: 0 },
  callbackCursors: callbackCursors ?? {},
});

const isPast = (cursors: Cursors, events: readonly EventRow[]): boolean =>
  lowestCursor(cursors) >= (events.at(-1)?.position ?? 0);

/** Messages of one endpoint's rows each, in order. */
function byEndpoint(due: readonly Hint[], most: number): HintMessage[] {
  return [...Map.groupBy(due, ({ pk }) => pk)].flatMap(([group, rows]) =>
    chunks(rows, most).map((hints) => ({ group, hints })),
  );
}
