import { absent, equals } from '../../adapters/dynamodb/expression.ts';
import { optimistic } from '../../adapters/dynamodb/optimistic.ts';
import type { Attempt } from '../../domain/delivering/attempt.ts';
import { type UrlTestRow, urlTestEvent, waitForUrlTest } from '../../domain/delivering/url-test.ts';
import type { EventType } from '../../domain/events/event-types.ts';
import { idempotencyExpiry } from '../../domain/retention.ts';
import { urlTestKey } from '../../domain/rows.ts';
import { wake } from '../../engine/wake.ts';
import type { ApiContext } from '../http/context.ts';
import type { Commit, Effect } from '../http/idempotency.ts';
import { conflict, Problem } from '../http/problem.ts';
import { waitFor } from '../http/wait-for.ts';

/** How a call waits for the attempt; the function has 29 s for all of it. */
const WAIT = { forMs: 20_000, everyMs: 400 };

type UrlTest = { readonly endpointId: string; readonly type: EventType; readonly url: string };

/**
 * Tests of any URL: one sample event that the secret of an endpoint signs. The deliver stage sends it, as it
 * does all that goes to foreign servers. An endpoint has one such test at a time, since each keeps a worker.
 */
export function createUrlTest(context: Pick<ApiContext, 'table' | 'now' | 'sleep'>) {
  const { table, now } = context;
  const read = (endpointId: string) => table.get<UrlTestRow>(urlTestKey(endpointId));

  /** Leaves the task to send it. @throws {Problem} 429 when the last one is under way or a moment ago */
  async function start({ endpointId, type, url }: UrlTest, commit: Commit): Promise<Effect> {
    return optimistic(async () => {
      const last = await read(endpointId);
      const at = now();
      const wait = waitForUrlTest(last, at);
      if (wait > 0) throw tooSoon(wait, last?.attempt === undefined);
      const event = urlTestEvent(endpointId, type, at);
      const { write, due } = wake({ ...urlTestKey(endpointId), dueAt: last?.dueAt }, 'deliver-slow', at, {
        set: {
          endpointId,
          eventId: event.id,
          startedAt: at,
          url,
          body: JSON.stringify(event),
          expiresAt: idempotencyExpiry(at),
        },
        remove: ['attempt'],
        if: [last ? equals('startedAt', last.startedAt) : absent('pk')],
      });
      return commit([write], { status: 202, ids: { eventId: event.id }, due });
    });
  }

  /** How it ended; undefined when it is still under way after the time that a call waits. */
  const ended = (endpointId: string, eventId: string | undefined): Promise<Attempt | undefined> =>
    waitFor(
      async () => {
        const test = await read(endpointId);
        if (test?.eventId !== eventId)
          throw conflict(
            'A later test of this endpoint has replaced this one, and its answer: send it again.',
          );
        return test?.attempt;
      },
      WAIT,
      context,
    );

  return { start, ended };
}

function tooSoon(waitMs: number, isUnderWay: boolean): Problem {
  const seconds = Math.ceil(waitMs / 1000);
  const detail = isUnderWay
    ? `Another test of this endpoint is under way: try again when it has ended, after ${seconds} s at most.`
    : `Another test of this endpoint has just ended: try again in ${seconds} s.`;
  return new Problem(429, detail, { headers: { 'retry-after': String(seconds) } });
}
