import { iso } from '../../domain/iso.ts';
import { workOf } from '../../domain/rows.ts';
import type { RowKey, Work } from '../../domain/work.ts';

/** A row that waits for a person, with the attributes that say what it is. */
export type ParkedRow = RowKey &
  Work & { readonly id?: string; readonly endpointId?: string; readonly purge?: boolean };

/** What each kind of work is, for the API's description. */
export const PARKED_KINDS = {
  poll: 'polling a request',
  copy: 'copying a video',
  events: 'sending the events of a request or endpoint to endpoints',
  purge: 'erasing a request',
  delivery: 'one delivery',
  backlog: 'releasing what waits for an endpoint',
  replay: 'sending events again',
  cancellation: 'canceling the deliveries of a deleted endpoint',
  erasure: 'erasing a callback that no request names',
  'url-test': 'sending a test to a URL',
  'upstream-check': 'asking Topaz for the doctor',
} as const;

type Subject = Partial<Record<'requestId' | 'endpointId' | 'deliveryId' | 'replayId', string>>;

/** What `GET /v1/parked` shows of a row. */
export function parkedView(row: ParkedRow) {
  return {
    id: parkedId(row),
    ...subjectOf(row),
    reason: row.parked?.reason ?? 'unknown',
    since: iso(row.parked?.since ?? row.dueAt),
  };
}

function subjectOf(row: ParkedRow): { kind: keyof typeof PARKED_KINDS } & Subject {
  const work = workOf(row);
  switch (work.kind) {
    case 'outbox': {
      const { kind, ...subject } = work.source;
      return { kind: kind === 'request' && row.purge ? 'purge' : 'events', ...subject };
    }
    case 'delivery':
      return { kind: 'delivery', deliveryId: row.id, endpointId: row.endpointId };
    case 'replay':
      return { ...work, endpointId: row.endpointId };
    case 'gate':
      return { kind: 'backlog', endpointId: work.endpointId };
    default:
      return work;
  }
}

/** The public id of a parked row: it leads back to the row's key. */
const parkedId = ({ pk, sk }: RowKey): string =>
  `prk_${Buffer.from(JSON.stringify([pk, sk])).toString('base64url')}`;

/** DynamoDB's limits of keys, bytes of UTF-8. */
const MAX_PARTITION = 2_048;
const MAX_SORT = 1_024;

/** The reverse of {@link parkedId}; undefined when `id` is none. */
export function parseParkedId(id: string): RowKey | undefined {
  const text = Buffer.from(id.slice('prk_'.length), 'base64url').toString();
  const [pk, sk] = textsIn(text);
  if (pk === undefined || sk === undefined || parkedId({ pk, sk }) !== id) return undefined;
  return fits(pk, MAX_PARTITION) && fits(sk, MAX_SORT) ? { pk, sk } : undefined;
}

function textsIn(json: string): (string | undefined)[] {
  try {
    const parsed: unknown = JSON.parse(json);
    return Array.isArray(parsed) ? parsed.map((each) => (typeof each === 'string' ? each : undefined)) : [];
  } catch {
    return [];
  }
}

const fits = (text: string, most: number): boolean => text !== '' && Buffer.byteLength(text) <= most;
