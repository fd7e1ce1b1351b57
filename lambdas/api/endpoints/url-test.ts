import { absent, equals } from '../../adapters/dynamodb/expression.ts';
import { optimistic } from '../../adapters/dynamodb/optimistic.ts';
import type { Attempt } from '../../domain/delivering/attempt.ts';
import { type UrlTestRow, waitForUrlTest } from '../../domain/delivering/url-test.ts';
import type { EventType } from '../../domain/events/event-types.ts';
import { eventId as newEventId } from '../../domain/ids.ts';
import { urlTestKey } from '../../domain/rows.ts';
import { wake } from '../../engine/wake.ts';
import type { ApiContext } from '../http/context.ts';
import type { Commit, Effect } from '../http/idempotency.ts';
import { createdAndGone, Problem } from '../http/problem.ts';
import { iso } from '../http/time.ts';
import { sampleData } from './endpoint-test.ts';

/** As long as an idempotency key is, s. */
const KEPT_S = 86_400;
const LOOK_MS = 400;
/** The gateway ends a call at 30 s. */
const MAX_LOOKS = 24_000 / LOOK_MS;

type Order = { readonly endpointId: string; readonly type: EventType; readonly url: string };

/**
 * Tests of any URL: one sample event that the secret of an endpoint signs. The deliver stage sends it, as it
 * does all that goes to foreign servers. An endpoint has one such test at a time, since each keeps a worker.
 */
export function createUrlTest({ table, now, sleep }: Pick<ApiContext, 'table' | 'now' | 'sleep'>) {
  const read = (endpointId: string) => table.get<UrlTestRow>(urlTestKey(endpointId));

  /** Gives the order to send. @throws {Problem} 429 when the last one is under way or a moment ago */
  async function start({ endpointId, type, url }: Order, commit: Commit): Promise<Effect> {
    return optimistic(async () => {
      const last = await read(endpointId);
      const at = now();
      const wait = waitForUrlTest(last, at);
      if (wait > 0) throw tooSoon(wait);
      const eventId = newEventId({
        occurredAt: at,
        source: { kind: 'endpoint', endpointId },
        // Events of an endpoint count from 1; a test of a URL is not one of them.
        position: 0,
      });
      const body = { id: eventId, type, timestamp: iso(at), data: sampleData(type, endpointId) };
      const { write, due } = wake({ ...urlTestKey(endpointId), dueAt: last?.dueAt }, 'deliver-slow', at, {
        set: {
          endpointId,
          eventId,
          startedAt: at,
          url,
          body: JSON.stringify(body),
          expiresAt: Math.ceil(at / 1000) + KEPT_S,
        },
        remove: ['attempt'],
        if: [last ? equals('startedAt', last.startedAt) : absent('pk')],
      });
      return commit([write], { status: 202, ids: { eventId }, due });
    });
  }

  /** How it ended; undefined while it is under way still after all that a call may wait. */
  async function ended(endpointId: string, eventId: string | undefined): Promise<Attempt | undefined> {
    for (let looks = 0; looks < MAX_LOOKS; looks++) {
      const test = await read(endpointId);
      if (test?.eventId !== eventId) throw createdAndGone('test');
      if (test?.attempt) return test.attempt;
      await sleep(LOOK_MS);
    }
    return undefined;
  }

  return { start, ended };
}

function tooSoon(waitMs: number): Problem {
  const seconds = Math.ceil(waitMs / 1000);
  return new Problem(
    429,
    `A test with this endpoint's secret is under way, or was a moment ago: try again in ${seconds} s at the latest.`,
    { headers: { 'retry-after': String(seconds) } },
  );
}
