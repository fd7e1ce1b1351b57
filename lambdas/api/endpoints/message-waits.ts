import { absent, equals } from '../../adapters/dynamodb/expression.ts';
import type { Table } from '../../adapters/dynamodb/table.ts';
import { writeIf } from '../../adapters/dynamodb/write-if.ts';
import { waitKey } from '../../domain/rows.ts';
import type { RowKey } from '../../domain/work.ts';

/** Calls that may wait for messages of one endpoint at a time: each of them keeps a worker of the function. */
export const MAX_WAITS = 2;
/** How long a place is kept beyond the wait, for a call that ends without leaving it, ms. */
const GRACE_MS = 10_000;

type WaitRow = RowKey & { readonly until: number; readonly nonce: string; readonly expiresAt: number };

/** The places of an endpoint in which calls wait for messages. */
export function createMessageWaits(
  table: Pick<Table, 'getMany' | 'write' | 'transact'>,
  now: () => number,
  randomBytes: (count: number) => Uint8Array,
) {
  /** Takes a place for `ms`; undefined when all are taken. */
  async function enter(endpointId: string, ms: number): Promise<WaitRow | undefined> {
    const keys = Array.from({ length: MAX_WAITS }, (_, n) => waitKey(endpointId, n));
    const taken = await table.getMany<WaitRow>(keys);
    for (const [i, key] of keys.entries()) {
      const there = taken[i];
      if (there && there.until > now()) continue;
      const until = now() + ms + GRACE_MS;
      const nonce = Buffer.from(randomBytes(12)).toString('base64url');
      const place = { ...key, until, nonce, expiresAt: Math.ceil(until / 1000) };
      const free = there ? equals('nonce', there.nonce) : absent('pk');
      if (await writeIf(table, { put: place, if: [free] })) return place;
    }
    return undefined;
  }

  async function leave(place: WaitRow): Promise<void> {
    await writeIf(table, { delete: place, if: [equals('nonce', place.nonce)] });
  }

  return { enter, leave };
}
