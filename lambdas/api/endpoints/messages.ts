import { asRead, equals } from '../../adapters/dynamodb/expression.ts';
import { optimistic } from '../../adapters/dynamodb/optimistic.ts';
import { signWebhook } from '../../adapters/signed-webhook.ts';
import { bodyToSend } from '../../adapters/video-link.ts';
import type { DeliveryRow } from '../../domain/delivering/delivery.ts';
import { withAttempt } from '../../domain/delivering/delivery-outcome.ts';
import type { EndpointRow } from '../../domain/delivering/endpoint.ts';
import { parseEventId } from '../../domain/ids.ts';
import { finishedExpiry, isExpired } from '../../domain/retention.ts';
import { backlogEntryKey, backlogPartition, deliveryKey } from '../../domain/rows.ts';
import { type BacklogEntry, createBacklogs } from '../../rows/backlog.ts';
import { countedInReplay } from '../../rows/replays.ts';
import type { ApiContext } from '../http/context.ts';

/** Messages that one call fetches. */
const MESSAGES = 25;

/** The messages of pull endpoints: deliveries that wait in the backlog until they are acknowledged. */
export function createMessages({
  table,
  now,
  videoLink,
  retentionDays,
}: Pick<ApiContext, 'table' | 'now' | 'videoLink' | 'retentionDays'>) {
  const backlogs = createBacklogs(table);

  /** The oldest messages that are not acknowledged. */
  async function waiting(endpoint: EndpointRow): Promise<DeliveryRow[]> {
    const { rows: entries } = await backlogs.first(endpoint, MESSAGES);
    const keys = entries.map(({ endpointId, eventId }) => deliveryKey(endpointId, eventId));
    const rows = await table.getMany<DeliveryRow>(keys);
    const found = entries.map((entry, i) => ({ entry, row: rows[i] }));
    for (const { entry, row } of found) if (!isWaiting(entry, row)) await backlogs.discard(entry, row);
    return found.flatMap(({ entry, row }) => (row && isWaiting(entry, row) ? [row] : []));
  }

  const isWaiting = (entry: BacklogEntry, row: DeliveryRow | undefined): boolean =>
    row?.backlogKey === entry.pk && !isExpired(row, now());

  /** The messages that wait at an endpoint, signed now; none while it is disabled. */
  async function read(endpoint: EndpointRow) {
    const rows = endpoint.enabled ? await waiting(endpoint) : [];
    return Promise.all(rows.map((row) => signed(endpoint, row)));
  }

  async function signed(endpoint: EndpointRow, row: DeliveryRow) {
    const body = await bodyToSend(row, videoLink, now());
    return signWebhook(row.eventId, body, endpoint.secrets ?? [], now());
  }

  /** False when there is no such message, or it was acknowledged before. */
  async function acknowledge(endpoint: EndpointRow, eventId: string): Promise<boolean> {
    if (!parseEventId(eventId)) return false;
    const key = deliveryKey(endpoint.id, eventId);
    const backlogKey = backlogPartition(endpoint);
    return optimistic(async () => {
      const row = await table.get<DeliveryRow>(key);
      if (row?.backlogKey !== backlogKey) return false;
      const expiresAt = finishedExpiry(now(), retentionDays);
      await table.transact([
        {
          update: key,
          set: { ...withAttempt(row, { at: now(), durationMs: 0 }), state: 'delivered', expiresAt },
          remove: ['backlogKey', 'inReplay'],
          if: [
            equals('backlogKey', backlogKey),
            // Since it was read, it may have been acknowledged and replayed.
            equals('attemptCount', row.attemptCount),
            asRead('replayId', row.replayId),
          ],
        },
        { delete: backlogEntryKey(backlogKey, row) },
        ...countedInReplay(row, expiresAt),
      ]);
      return true;
    });
  }

  return { read, acknowledge };
}
