import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { EventPayload } from '../domain/event.ts';
import type { AttemptResult, Clocks } from './attempt.ts';

/** The source of the bridge's events, by which rules of a bus select them. */
export const EVENT_SOURCE = 'topaz-video-webhooks';

export type PutEvent = (busName: string, payload: EventPayload) => Promise<AttemptResult>;

/**
 * One event put on a bus. Whatever EventBridge refuses is a failed attempt, named by its error code;
 * it is tried again like any delivery, so a rule may see an event twice, with the same `detail.id`.
 */
export function createPutEvent(client: Pick<EventBridgeClient, 'send'>, { now, elapsed }: Clocks): PutEvent {
  return async (busName, payload) => {
    const at = now();
    const startedAt = elapsed();
    const ended = () => ({ at, durationMs: Math.round(elapsed() - startedAt) });
    try {
      const { Entries: [entry] = [] } = await client.send(
        new PutEventsCommand({
          Entries: [
            {
              EventBusName: busName,
              Source: EVENT_SOURCE,
              DetailType: payload.type,
              Detail: JSON.stringify(payload),
              Time: new Date(payload.timestamp),
            },
          ],
        }),
      );
      if (entry?.ErrorCode) return { attempt: { ...ended(), error: entry.ErrorCode } };
      return { attempt: { ...ended(), statusCode: 200 } };
    } catch (error) {
      return { attempt: { ...ended(), error: error instanceof Error ? error.name : 'unknown' } };
    }
  };
}
