import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { EventPayload } from '../domain/events/event.ts';
import { EVENT_BUS_SOURCE } from '../domain/events/event-bus-source.ts';
import { type AttemptResult, type Clocks, TIMEOUT_MS } from './attempt.ts';

/** @param body the event as JSON */
export type PutEvent = (busName: string, type: string, body: string) => Promise<AttemptResult>;

/**
 * One event put on a bus. Whatever EventBridge refuses is a failed attempt, named by its error code;
 * it is tried again like any delivery, so a rule may see an event twice, with the same `detail.id`.
 */
export function createPutEvent(client: Pick<EventBridgeClient, 'send'>, { now, elapsed }: Clocks): PutEvent {
  return async (busName, type, body) => {
    const at = now();
    const startedAt = elapsed();
    const ended = () => ({ at, durationMs: Math.round(elapsed() - startedAt) });
    const failed = (error: string) => ({
      attempt: { ...ended(), error, reason: `EventBridge did not take the event (${error}).` },
    });
    try {
      const { Entries: [entry] = [] } = await client.send(
        new PutEventsCommand({
          Entries: [
            {
              EventBusName: busName,
              Source: EVENT_BUS_SOURCE,
              DetailType: type,
              Detail: body,
              Time: new Date((JSON.parse(body) as EventPayload).timestamp),
            },
          ],
        }),
        { abortSignal: AbortSignal.timeout(TIMEOUT_MS) },
      );
      if (entry?.EventId) return { attempt: { ...ended(), statusCode: 200 } };
      return failed(entry?.ErrorCode ?? 'unknown');
    } catch (error) {
      return failed(nameOf(error));
    }
  };
}

/** The SDK reports a time-out as an abort; attempts call it `timeout`. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return error.name === 'AbortError' || error.name === 'TimeoutError' ? 'timeout' : error.name;
}
