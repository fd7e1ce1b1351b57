import type { Table } from '../../adapters/dynamodb/table.ts';
import type { DeliveryRow } from '../../domain/delivering/delivery.ts';
import { parseDeliveryId } from '../../domain/ids.ts';
import { isExpired } from '../../domain/retention.ts';
import { deliveryKey, deliveryPartition } from '../../domain/rows.ts';

export function createDeliveries(table: Table, now: () => number) {
  /** The delivery by its public id; undefined when it is unknown or expired. */
  async function get(id: string): Promise<DeliveryRow | undefined> {
    const address = parseDeliveryId(id);
    if (!address) return undefined;
    const row = await table.get<DeliveryRow>(deliveryKey(address.endpointId, address.eventId));
    return row && !isExpired(row, now()) ? row : undefined;
  }

  /** An endpoint's deliveries between the ids of two events, those of the newest events first. */
  async function list(
    endpointId: string,
    { after, before }: { readonly after?: string | undefined; readonly before?: string | undefined },
    limit: number,
  ) {
    const { rows, more } = await table.query<DeliveryRow>({
      partition: deliveryPartition(endpointId),
      after,
      before,
      newestFirst: true,
      limit,
      consistent: true,
    });
    return { entries: rows.map((row) => ({ position: row.sk, row })), more };
  }

  return { get, list };
}
