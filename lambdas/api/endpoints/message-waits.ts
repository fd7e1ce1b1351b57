import { absent, equals } from '../../adapters/dynamodb/expression.ts';
import { optimistic } from '../../adapters/dynamodb/optimistic.ts';
import type { Table } from '../../adapters/dynamodb/table.ts';
import { writeIf } from '../../adapters/dynamodb/write-if.ts';
import { WAITS, waitKey } from '../../domain/rows.ts';
import type { RowKey } from '../../domain/work.ts';

/** Calls that may wait for messages of one endpoint at a time. */
export const MAX_WAITS_OF_ENDPOINT = 2;
/** How long a place is kept after the wait, since a call may end without giving it back, ms. */
const GRACE_MS = 10_000;
/** The owner of the places that all endpoints share. */
const ALL = 'ALL';

type Place = RowKey & { readonly nonce: string };
type PlaceRow = Place & { readonly until: number; readonly expiresAt: number };

/**
 * The places in which calls wait for messages: each call keeps a worker of the function, so it takes one of its
 * endpoint's places and one of the bridge's.
 *
 * @param maxWaits calls that may wait at a time, of all endpoints
 */
export function createMessageWaits(
  table: Pick<Table, 'queryAll' | 'write' | 'transact'>,
  maxWaits: number,
  now: () => number,
  randomBytes: (count: number) => Uint8Array,
) {
  /** Takes two places for `ms`; where there is none left, says whose they are. */
  const enter = (endpointId: string, ms: number): Promise<[Place, Place] | 'endpoint' | 'bridge'> =>
    optimistic(async () => {
      const rows = await table.queryAll<PlaceRow>({ partition: WAITS, consistent: true });
      const taken = new Map(rows.map((row) => [row.sk, row]));
      const nonce = Buffer.from(randomBytes(12)).toString('base64url');
      const at = now();
      const until = at + ms + GRACE_MS;

      /** One at random, since others look for places at the same time. */
      function freePlace(of: string, places: number): Place | undefined {
        const keys = Array.from({ length: places }, (_, n) => waitKey(of, n));
        const free = keys.filter(({ sk }) => (taken.get(sk)?.until ?? 0) <= at);
        const key = free[(randomBytes(1)[0] ?? 0) % free.length];
        return key && { ...key, nonce };
      }

      const own = freePlace(endpointId, MAX_WAITS_OF_ENDPOINT);
      if (!own) return 'endpoint';
      const shared = freePlace(ALL, maxWaits);
      if (!shared) return 'bridge';
      const places: [Place, Place] = [own, shared];
      await table.transact(
        places.map((place) => {
          const before = taken.get(place.sk);
          const put: PlaceRow = { ...place, until, expiresAt: Math.ceil(until / 1000) };
          return { put, if: [before ? equals('nonce', before.nonce) : absent('pk')] };
        }),
      );
      return places;
    });

  async function leave([own, shared]: [Place, Place]): Promise<void> {
    const left = (place: Place) => ({ delete: place, if: [equals('nonce', place.nonce)] });
    await writeIf(table, left(own), left(shared));
  }

  return { enter, leave };
}
