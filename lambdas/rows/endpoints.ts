import { absent, asRead, below, equals, present, type Write } from '../adapters/dynamodb/expression.ts';
import type { Table } from '../adapters/dynamodb/table.ts';
import type { CancellationRow } from '../domain/delivering/cancellation.ts';
import { type EndpointRow, endpointList } from '../domain/delivering/endpoint.ts';
import type { ChangedEndpoint } from '../domain/delivering/endpoint-change.ts';
import { isCallback } from '../domain/delivering/endpoint-kinds/endpoint-kinds.ts';
import { GATE_LANE } from '../domain/delivering/gate/gate.ts';
import { asksForProgress } from '../domain/events/event-filter.ts';
import { isEndpointId } from '../domain/ids.ts';
import { callbackExpiry, finishedExpiry } from '../domain/retention.ts';
import {
  CALLBACK_USE,
  callbackUseKey,
  cancellationKey,
  DELETED_ENDPOINTS,
  ENDPOINTS,
  endpointCountsKey,
  endpointKey,
} from '../domain/rows.ts';
import { type Due, dueOf, type RowKey } from '../domain/work.ts';
import { wake, withdraw } from '../engine/wake.ts';

/** Account-wide endpoints there may be; each event is matched against all of them. */
export const MAX_ENDPOINTS = 100;

/** After this time the deliveries of a deleted endpoint have ended, and expire. */
const CANCELED_WITHIN_MS = 86_400_000;

/** The row at {@link endpointCountsKey}. */
type EndpointCounts = RowKey & {
  endpoints: number;
  /** How many have a filter that matches `progress.updated`; at 0 no poll looks for it. */
  tellProgress: number;
};

export type Endpoints = ReturnType<typeof createEndpoints>;

export function createEndpoints(table: Pick<Table, 'get' | 'query' | 'queryAll'>) {
  async function get(id: string): Promise<EndpointRow | undefined> {
    return isEndpointId(id) ? table.get<EndpointRow>(endpointKey(id)) : undefined;
  }

  /** All account-wide endpoints. */
  const listAccountWide = () => table.queryAll<EndpointRow>({ partition: ENDPOINTS, consistent: true });

  /** The account-wide endpoints that were deleted, as long as there may be deliveries to them. */
  async function listDeleted(): Promise<string[]> {
    const rows = await table.queryAll({ partition: DELETED_ENDPOINTS, consistent: true });
    return rows.map(({ sk }) => sk);
  }

  /** Callback endpoints, newest first, from before a position. */
  async function listCallbacks(before: string | undefined, limit: number) {
    const { rows, more } = await table.query<EndpointRow>({
      index: 'list',
      partition: endpointList('callback'),
      before,
      newestFirst: true,
      limit,
    });
    const entries = rows.map((row) => ({ position: row.listAt, key: { pk: row.pk, sk: row.sk } }));
    return { entries, more };
  }

  const counts = (): Promise<EndpointCounts | undefined> => table.get<EndpointCounts>(endpointCountsKey);

  return { get, listAccountWide, listDeleted, listCallbacks, counts };
}

/** Adds an account-wide endpoint while there are fewer than {@link MAX_ENDPOINTS}. */
export function creation(endpoint: EndpointRow, counts: EndpointCounts | undefined): Write[] {
  return [
    { put: endpoint, if: [absent('pk')] },
    {
      ...countsUpdate(1, asksForProgress([endpoint]) ? 1 : 0),
      if: [counts ? below('endpoints', MAX_ENDPOINTS) : absent('pk')],
    },
  ];
}

/**
 * Changes an endpoint that still is as it was read, in what is counted or decides about deliveries, and in the URL and
 * the headers, which belong together.
 */
export function change(
  endpoint: EndpointRow,
  { set, remove, gate }: ChangedEndpoint,
  now: number,
): { writes: Write[]; due?: Due } {
  const settings = {
    set,
    // Keeps the settings of a callback that a person made.
    remove: [...remove, 'expiresAt'],
    if: [
      equals('events', endpoint.events),
      equals('stateVersion', endpoint.stateVersion),
      asRead('url', endpoint.url),
      equals('headers', endpoint.headers),
    ],
  };
  const asked = asksForProgress([endpoint]);
  const asks = set.events ? asksForProgress([{ events: set.events }]) : asked;
  const counted = asked === asks ? [] : [countsUpdate(0, asks ? 1 : -1)];
  if (gate === 'wakes') {
    const { write, due } = wake(endpoint, GATE_LANE, now, settings);
    return { writes: [write, ...counted], due };
  }
  const update = gate === 'stops' ? withdraw(endpoint, settings) : { update: endpoint, ...settings };
  return { writes: [update, ...counted] };
}

/**
 * Deletes an endpoint, and leaves the task to cancel its deliveries that are not final. An account-wide one
 * is remembered while there are deliveries to it; requests themselves know their callbacks.
 */
export function deletion(
  endpoint: EndpointRow,
  now: number,
  retentionDays: number,
): { writes: Write[]; due: Due } {
  const { id: endpointId, createdAt: endpointCreatedAt } = endpoint;
  const row = { ...cancellationKey(endpointId), lane: GATE_LANE, dueAt: now } as const;
  const task = { ...row, endpointId, endpointCreatedAt, orderedAt: now } satisfies CancellationRow;
  const expiresAt = finishedExpiry(now + CANCELED_WITHIN_MS, retentionDays);
  return { writes: [...removal(endpoint, expiresAt), { put: task }], due: dueOf(row) };
}

function removal(endpoint: EndpointRow, expiresAt: number): Write[] {
  // The cancellation is for this one: a callback that was named again has deliveries that it would leave open.
  if (isCallback(endpoint)) return [{ delete: endpoint, if: [equals('createdAt', endpoint.createdAt)] }];
  return [
    { delete: endpoint, if: [equals('events', endpoint.events)] },
    countsUpdate(-1, asksForProgress([endpoint]) ? -1 : 0),
    { put: { pk: DELETED_ENDPOINTS, sk: endpoint.id, expiresAt } },
  ];
}

/**
 * Makes sure that a callback's endpoint exists for as long as a request registered now may send to it. An existing
 * one keeps its health and settings. Undefined when nothing needs to be written: requests with the same URL share
 * the row, and it would be hot if each of them wrote it.
 *
 * @param there the row as it was read
 */
export function ensured(
  { pk, sk, ...endpoint }: EndpointRow,
  there: EndpointRow | undefined,
  now: number,
  retentionDays: number,
): Write | undefined {
  if (there && there.expiresAt === undefined) return undefined;
  const expiresAt = callbackExpiry(now, retentionDays, there?.expiresAt);
  if (expiresAt === undefined && there?.unusedSince === undefined) return undefined;
  return {
    update: { pk, sk },
    set: { expiresAt },
    setIfAbsent: endpoint,
    remove: ['unusedSince'],
    // A person who changes it meanwhile keeps it.
    if: there ? [present('expiresAt')] : [],
  };
}

/** Says that a request names a callback. */
export const callbackUse = (
  endpointId: string,
  requestId: string,
  now: number,
  retentionDays: number,
): Write => ({
  put: {
    ...callbackUseKey(endpointId, requestId),
    expiresAt: callbackExpiry(now, retentionDays, undefined),
  },
});

/** Whether any request names the callback, read consistently. */
export async function isCallbackUsed(table: Pick<Table, 'query'>, endpointId: string): Promise<boolean> {
  const { pk: partition } = endpointKey(endpointId);
  const { rows } = await table.query({ partition, prefix: CALLBACK_USE, limit: 1, consistent: true });
  return rows.length > 0;
}

const countsUpdate = (endpoints: number, tellProgress: number) => ({
  update: endpointCountsKey,
  add: { endpoints, tellProgress },
});
