import type { Table } from '../../adapters/dynamodb/table.ts';
import { parkedSegments } from '../../adapters/rows/parked-segments.ts';
import type { OutboxRow } from '../../domain/events/outbox.ts';
import { type MetaRow, type RequestRow, requestList } from '../../domain/requests/request.ts';
import { isExpired } from '../../domain/retention.ts';
import { copyKey, metaKey, outboxKey, requestKey } from '../../domain/rows.ts';
import { PARKED, type RowKey, type Work } from '../../domain/work.ts';

/** The rows that tell a request's story; `copy` is there once the video is to be copied. */
export type TrackedRequest = {
  readonly request: RequestRow;
  readonly meta: MetaRow;
  readonly copy?: RowKey & Work;
  /** Those of its segments that wait for a person. */
  readonly parkedSegments: readonly (RowKey & Work)[];
  readonly outbox?: OutboxRow;
};

/** What there is of a request, tracked or not. */
export type RequestRows = {
  readonly request?: RequestRow | undefined;
  readonly meta?: MetaRow | undefined;
  readonly copy?: (RowKey & Work) | undefined;
  readonly outbox?: OutboxRow | undefined;
};

/** A place in a list, and the row that stands there. */
export type Listed = { readonly position: string; readonly key: RowKey };

type ParkedRow = RowKey & { readonly dueAt: number };

export type Requests = ReturnType<typeof createRequests>;

/** Rows parked in the same millisecond, at most. */
const PARKED_AT_ONCE = 1_000;
const TIME_DIGITS = 15;

export function createRequests(table: Table, now: () => number) {
  /** The request; undefined when it is unknown, expired or being erased. */
  async function get(requestId: string): Promise<TrackedRequest | undefined> {
    const [found] = await getMany([requestId]);
    return found;
  }

  /** Each of the requests in its place, undefined where there is none to show. */
  async function getMany(requestIds: readonly string[]): Promise<(TrackedRequest | undefined)[]> {
    const read = await table.getMany<RowKey>([...new Set(requestIds)].flatMap(keysOfRequest));
    const rows = new Map(read.map((row) => [`${row.pk} ${row.sk}`, row]));
    const found = async (requestId: string): Promise<TrackedRequest | undefined> => {
      const { request, meta, copy, outbox } = rowsOfRequest(rows, requestId);
      if (!request || !meta || request.purged || isExpired(request, now())) return undefined;
      const isCopying = request.video?.state === 'copying';
      return {
        request,
        meta,
        copy,
        parkedSegments: isCopying ? await parkedSegments(table, requestId) : [],
        outbox,
      };
    };
    return Promise.all(requestIds.map(found));
  }

  /** Requests of the states, newest first, from before a position. */
  async function list(
    states: readonly RequestRow['state'][],
    before: string | undefined,
    limit: number,
  ): Promise<{ entries: Listed[]; more: boolean }> {
    const pages = await Promise.all(
      states.map((state) =>
        table.query<RequestRow>({
          index: 'list',
          partition: requestList(state),
          before,
          newestFirst: true,
          limit,
        }),
      ),
    );
    // A request that changes its state meanwhile may be seen in two lists.
    const byPosition = new Map(pages.flatMap(({ rows }) => rows.map((row) => [row.listAt, row] as const)));
    const entries = [...byPosition.entries()]
      .sort(([a], [b]) => (a < b ? 1 : -1))
      .map(([position, { pk, sk }]) => ({ position, key: { pk, sk } }));
    return {
      entries: entries.slice(0, limit),
      more: entries.length > limit || pages.some((page) => page.more),
    };
  }

  /**
   * Parked rows of all kinds, last parked first; a request may have several. Many may be parked at
   * the same time, so those of one time are always read together and put in an order of their own.
   */
  async function listParked(
    before: string | undefined,
    limit: number,
  ): Promise<{ entries: Listed[]; more: boolean }> {
    const time = before === undefined ? undefined : Number(before.slice(0, TIME_DIGITS));
    const { rows, more } = await table.query<ParkedRow>({
      index: 'due',
      partition: PARKED,
      before: time,
      newestFirst: true,
      limit,
    });
    const last = more ? rows.at(-1)?.dueAt : undefined;
    const [first, whole] = await Promise.all([parkedAt(time), parkedAt(last)]);
    const entries = [...first, ...rows.filter(({ dueAt }) => dueAt !== last), ...whole]
      .map(({ pk, sk, dueAt }) => ({ position: parkedPosition({ pk, sk, dueAt }), key: { pk, sk } }))
      .filter(({ position }) => before === undefined || position < before)
      .sort((a, b) => (a.position < b.position ? 1 : -1));
    return { entries, more };
  }

  async function parkedAt(time: number | undefined): Promise<ParkedRow[]> {
    if (time === undefined) return [];
    const { rows } = await table.query<ParkedRow>({
      index: 'due',
      partition: PARKED,
      after: time - 1,
      before: time + 1,
      limit: PARKED_AT_ONCE,
    });
    return rows;
  }

  return { get, getMany, list, listParked };
}

export const outboxOf = (requestId: string): RowKey => outboxKey({ kind: 'request', requestId });

/** The keys of the rows that {@link rowsOfRequest} takes. */
export const keysOfRequest = (requestId: string): RowKey[] => [
  requestKey(requestId),
  metaKey(requestId),
  copyKey(requestId),
  outboxOf(requestId),
];

/** A request's rows among those that were read, which are named by their keys. */
export function rowsOfRequest(rows: ReadonlyMap<string, RowKey>, requestId: string): RequestRows {
  const row = <T extends RowKey>({ pk, sk }: RowKey) => rows.get(`${pk} ${sk}`) as T | undefined;
  return {
    request: row<RequestRow>(requestKey(requestId)),
    meta: row<MetaRow>(metaKey(requestId)),
    copy: row<RowKey & Work>(copyKey(requestId)),
    outbox: row<OutboxRow>(outboxOf(requestId)),
  };
}

const parkedPosition = ({ dueAt, pk, sk }: ParkedRow): string =>
  `${String(dueAt).padStart(TIME_DIGITS, '0')}#${pk}#${sk}`;
