import type { Table } from '../../adapters/dynamodb/table.ts';
import { chunks } from '../../domain/chunks.ts';
import type { OutboxRow } from '../../domain/events/outbox.ts';
import { type MetaRow, type RequestRow, requestList } from '../../domain/requests/request.ts';
import { isExpired } from '../../domain/retention.ts';
import { copyKey, metaKey, outboxKey, requestKey, workOf } from '../../domain/rows.ts';
import { PARKED, type RowKey, type Work } from '../../domain/work.ts';
import { parkedSegments } from '../../rows/parked-segments.ts';
import type { ListEntry } from '../http/paging.ts';

/** What there is of a request, tracked or not; `copy` is there once the video is to be copied. */
export type RequestRows = {
  readonly request?: RequestRow | undefined;
  readonly meta?: MetaRow | undefined;
  readonly copy?: (RowKey & Work) | undefined;
  readonly outbox?: OutboxRow | undefined;
};

/** The rows that tell a request's story. */
export type TrackedRequest = RequestRows & {
  readonly request: RequestRow;
  readonly meta: MetaRow;
  /** Those of its rows that wait for a person, the segments of its copy included. */
  readonly parked: readonly (RowKey & Work)[];
};

/**
 * What is shown of a request's rows, or tells when it may end. The rest is left in the table when a list is read: how
 * progress went is most of their bytes.
 */
const SHOWN = [
  'pk',
  'sk',
  'lane',
  'dueAt',
  'owner',
  'parked',
  'expiresAt',
  'purged',
  'requestId',
  'state',
  'status',
  'progress',
  'statusSince',
  'sequence',
  'registeredAt',
  'startedAt',
  'lastPolledAt',
  'polls',
  'observations',
  'estimates',
  'averageFps',
  'combinedFps',
  'outputSize',
  'processingJobs',
  'message',
  'errorCode',
  'lastError',
  'metadata',
  'callbacks',
  'video',
] as const satisfies (keyof RequestRow | keyof MetaRow)[];

/** A request as far as it is shown. */
export type ShownRequest = {
  readonly request: Pick<RequestRow, keyof RequestRow & (typeof SHOWN)[number]>;
  readonly meta: Pick<MetaRow, keyof MetaRow & (typeof SHOWN)[number]>;
  readonly parked: TrackedRequest['parked'];
};

export type Requests = ReturnType<typeof createRequests>;

/** Parked rows that are looked through for those of listed requests. */
const PARKED_SEEN = 1_000;

export function createRequests(table: Table, now: () => number) {
  /** The request; undefined when it is unknown, expired or being erased. */
  async function get(requestId: string): Promise<TrackedRequest | undefined> {
    const [found] = await getMany([requestId]);
    return found;
  }

  /** Each of the requests in its place, undefined where there is none to show. */
  async function getMany(requestIds: readonly string[]): Promise<(TrackedRequest | undefined)[]> {
    const rows = await table.getMany<RowKey>(requestIds.flatMap(keysOfRequest));
    return Promise.all(
      rowsOfRequests(rows).map(async ({ request, meta, copy, outbox }) => {
        if (!isTracked(request, now()) || !meta) return undefined;
        const { requestId, video } = request;
        const segments = video?.state === 'copying' ? await parkedSegments(table, requestId) : [];
        const parked = [request, copy, outbox, ...segments].filter((row) => row?.lane === PARKED);
        return { request, meta, copy, outbox, parked: parked as (RowKey & Work)[] };
      }),
    );
  }

  /**
   * Like {@link getMany}, for lists: what is parked of the requests is found by one look at the parked rows, so that
   * each request takes two reads instead of five.
   */
  async function getListed(requestIds: readonly string[]): Promise<(ShownRequest | undefined)[]> {
    const [rows, { rows: parked, more }] = await Promise.all([
      table.getMany<RowKey>(
        requestIds.flatMap((id) => [requestKey(id), metaKey(id)]),
        { attributes: SHOWN },
      ),
      table.query<RowKey>({ index: 'due', partition: PARKED, newestFirst: true, limit: PARKED_SEEN }),
    ]);
    if (more) return getMany(requestIds);
    const partitions = new Set(requestIds.map((id) => requestKey(id).pk));
    const others = parked.filter((row) => partitions.has(row.pk) && workOf(row).kind !== 'poll');
    const still = await table.getMany<RowKey & Work>(others);
    return (chunks(rows, 2) as [RequestRow?, MetaRow?][]).map(([request, meta]) => {
      if (!isTracked(request, now()) || !meta) return undefined;
      const own = [request, ...still.filter((row) => row?.pk === request.pk)];
      return { request, meta, parked: own.filter((row) => row?.lane === PARKED) as (RowKey & Work)[] };
    });
  }

  /** Requests of the states, newest first, from before a position. */
  async function list(
    states: readonly RequestRow['state'][],
    before: string | undefined,
    limit: number,
  ): Promise<{ entries: ListEntry[]; more: boolean }> {
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
    // A request that changes its state between two of these reads may be in both lists.
    const byPosition = new Map(pages.flatMap(({ rows }) => rows.map((row) => [row.listAt, row] as const)));
    const entries = [...byPosition.entries()]
      .sort(([a], [b]) => (a < b ? 1 : -1))
      .map(([position, { pk, sk }]) => ({ position, key: { pk, sk } }));
    return {
      entries: entries.slice(0, limit),
      more: entries.length > limit || pages.some((page) => page.more),
    };
  }

  return { get, getMany, getListed, list };
}

/** Whether it is there, and neither expired nor being erased. */
export const isTracked = (request: RequestRow | undefined, now: number): request is RequestRow =>
  request !== undefined && !request.purged && !isExpired(request, now);

export const outboxOf = (requestId: string): RowKey => outboxKey({ kind: 'request', requestId });

/** The keys of the rows that {@link rowsOfRequests} takes. */
export const keysOfRequest = (requestId: string): RowKey[] => [
  requestKey(requestId),
  metaKey(requestId),
  copyKey(requestId),
  outboxOf(requestId),
];

/** The rows of each request, as they were read by its {@link keysOfRequest}. */
export const rowsOfRequests = (rows: readonly (RowKey | undefined)[]): RequestRows[] =>
  chunks(rows, 4).map(([request, meta, copy, outbox]) => ({ request, meta, copy, outbox }) as RequestRows);
