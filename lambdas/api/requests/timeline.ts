import type { Table } from '../../adapters/dynamodb/table.ts';
import type { CopyRow } from '../../domain/copying/copy.ts';
import type { DeliveryRow } from '../../domain/delivering/delivery.ts';
import type { EventRow } from '../../domain/events/event.ts';
import { iso } from '../../domain/iso.ts';
import { pointsOf } from '../../domain/requests/progress-series.ts';
import { KNOWN_STATUSES, type MetaRow, REGISTERED, type RequestRow } from '../../domain/requests/request.ts';
import { isExpired } from '../../domain/retention.ts';
import { copyKey, deliveryKey } from '../../domain/rows.ts';
import type { Endpoints } from '../../rows/endpoints.ts';
import { eventsOf } from '../../rows/events.ts';
import { deliveryView } from '../deliveries/delivery-view.ts';
import type { Caller } from '../http/auth.ts';
import { lastThatFit } from '../http/paging.ts';
import type { TrackedRequest } from './tracked-requests.ts';

/** Events that a timeline shows at most, and deliveries that are looked for: the last ones. */
const MAX_EVENTS = 100;
const MAX_DELIVERIES = 2_000;

const STATUS_EVENTS: ReadonlySet<string> = new Set([
  ...KNOWN_STATUSES.map((status) => `video.${status}`),
  'video.status_unrecognized',
  'video.lost',
]);

type TimelineDependencies = {
  readonly table: Pick<Table, 'get' | 'getMany' | 'query'>;
  readonly endpoints: Pick<Endpoints, 'listAccountWide' | 'listDeleted'>;
  readonly now: () => number;
};

/** One request's whole story, as `GET /v1/requests/{requestId}/timeline` answers it. */
export async function timeline(
  { table, endpoints, now }: TimelineDependencies,
  { request, meta }: TrackedRequest,
  caller: Pick<Caller, 'role'>,
) {
  const events = (await lastEvents(table, request)).filter((row) => !isExpired(row, now()));
  const [copy, deliveries] = await Promise.all([
    table.get<CopyRow>(copyKey(request.requestId)),
    deliveriesOf({ table, endpoints }, events, meta),
  ]);
  return {
    statuses: statusesOf(request, events),
    observations: pointsOf(meta.progressSeries ?? [], request.startedAt).map(({ at, progress }) => ({
      at: iso(at),
      progress,
    })),
    polls: request.polls,
    copy: copyOf(request, copy),
    events: events.map(({ id, type, occurredAt, data }) => ({
      id,
      type,
      at: iso(occurredAt),
      sequence: data.sequence,
    })),
    deliveries: lastThatFit(
      deliveries.filter((row) => !isExpired(row, now())).map((row) => deliveryWithReason(row, caller)),
    ),
  };
}

async function lastEvents(table: Pick<Table, 'query'>, { requestId }: RequestRow): Promise<EventRow[]> {
  const { rows } = await table.query<EventRow>({
    ...eventsOf(requestId),
    newestFirst: true,
    limit: MAX_EVENTS,
  });
  return rows.reverse();
}

/** Each status with the time until the next one; a restart begins with `registered` again. */
function statusesOf(request: RequestRow, events: readonly EventRow[]) {
  const seen = events
    .filter(({ type }) => STATUS_EVENTS.has(type))
    .map(({ occurredAt, data }) => ({
      status: String(data.status),
      at: occurredAt,
      skipped: data.skipped as string[] | undefined,
    }));
  const restarted = request.startedAt > request.registeredAt ? [begun(request.startedAt)] : [];
  const all = [begun(request.registeredAt), ...restarted, ...seen].sort((a, b) => a.at - b.at);
  return all.map(({ status, at, skipped }, i) => ({
    status,
    at: iso(at),
    until: iso(all[i + 1]?.at),
    skipped,
  }));
}

const begun = (at: number): { status: string; at: number; skipped?: string[] | undefined } => ({
  status: REGISTERED,
  at,
});

function copyOf({ video }: RequestRow, copy: CopyRow | undefined) {
  if (!video) return null;
  const { state, copiedBytes, bytesPerSecond, size, error } = video;
  return {
    state,
    // The clocks of two workers may differ by more than a small copy takes.
    startedAt: iso(copy && Math.min(copy.startedAt, video.storedAt ?? copy.startedAt)),
    storedAt: iso(video.storedAt),
    copiedBytes,
    bytesPerSecond,
    size,
    error,
  };
}

/** The deliveries of the events, by event and endpoint; of endpoints that were deleted, too. */
async function deliveriesOf(
  { table, endpoints }: Pick<TimelineDependencies, 'table' | 'endpoints'>,
  events: readonly EventRow[],
  { callbacks }: MetaRow,
): Promise<DeliveryRow[]> {
  const [account, deleted] = await Promise.all([endpoints.listAccountWide(), endpoints.listDeleted()]);
  const ids = new Set([
    ...callbacks.map(({ endpointId }) => endpointId),
    ...account.map(({ id }) => id),
    ...deleted,
  ]);
  const keys = events.flatMap((event) => [...ids].map((id) => deliveryKey(id, event.id)));
  const rows = await table.getMany<DeliveryRow>(keys.slice(-MAX_DELIVERIES));
  return rows
    .filter((row) => row !== undefined)
    .sort((a, b) => (`${a.sk}${a.pk}` < `${b.sk}${b.pk}` ? -1 : 1));
}

/** A delivery, and in words why it has not arrived. */
function deliveryWithReason(row: DeliveryRow, caller: Pick<Caller, 'role'>) {
  const view = deliveryView(row, caller);
  return { ...view, reason: reasonOf(row, view.attempts.at(-1)) };
}

type LastAttempt = { statusCode?: number; error?: string; reason?: string } | undefined;

function reasonOf({ state }: DeliveryRow, last: LastAttempt): string | undefined {
  if (state === 'delivered') return undefined;
  if (state === 'canceled') return 'the endpoint was deleted';
  if (state === 'held' && !last) return 'the endpoint is disabled, or was failing when the event came';
  if (!last) return undefined;
  return last.reason ?? (last.error ? `no answer (${last.error})` : `it answered ${last.statusCode}`);
}
