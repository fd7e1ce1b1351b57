import type { RowKey } from '../work.ts';
import type { DeliveryRow } from './delivery.ts';

/** A delivery as release 0.1 wrote it: the event as a map, and four attributes under other names. */
export type DeliveryOf01 = RowKey &
  Pick<DeliveryRow, 'eventId' | 'endpointId' | 'createdAt' | 'lane'> & {
    readonly payload: object;
    readonly waitsAt?: string;
    readonly passes?: true;
    readonly after?: string;
    readonly next?: string;
  };

/** The attributes that a delivery no longer has. Other writers of the row change `waitsAt` and `next` meanwhile. */
export const REMOVED = ['payload', 'waitsAt', 'passes', 'after', 'next'] as const;

/** By its shape, and only without a version: 0.1 knew none. */
export const isOf01 = (row: object): row is DeliveryOf01 =>
  !('v' in row) && 'payload' in row && 'eventId' in row && 'endpointId' in row;

/** Release 0.1 kept failed deliveries in separate lanes, by which it listed them. */
export const isInFailedLane = ({ lane }: DeliveryOf01): boolean => lane?.startsWith('failed#') ?? false;

/**
 * What such a row has in place of {@link REMOVED}.
 *
 * @param endpointCreatedAt of the endpoint that has its id now, ms since epoch; a younger one is another endpoint
 */
export function attributesFor(row: DeliveryOf01, endpointCreatedAt: number | undefined) {
  const { payload, waitsAt, passes, after, next, createdAt } = row;
  const isSame = endpointCreatedAt !== undefined && endpointCreatedAt <= createdAt;
  return {
    body: JSON.stringify(payload),
    endpointCreatedAt: isSame ? endpointCreatedAt : 0,
    backlogKey: waitsAt,
    bypassesBreaker: passes,
    predecessor: after,
    successor: next,
  } satisfies Partial<Record<keyof DeliveryRow, unknown>>;
}
