import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { createTable } from '../../lambdas/adapters/dynamodb/table.ts';
import type { Counters } from '../../lambdas/domain/events/event.ts';
import { metaKey, outboxKey } from '../../lambdas/domain/rows.ts';
import { createHints } from '../../lambdas/engine/hints.ts';
import { eventWrites } from '../../lambdas/rows/outbox.ts';
import { ideal } from '../../local/aws/behavior.ts';
import { startBridge } from '../../local/bridge.ts';
import { synthesize } from '../../local/runtime/synthesize.ts';

/**
 * The template sets the fast queue no limit. On Lambda each batch has a processor of its own; with more
 * batches at a time than there are processors here, the scheduler would be measured.
 */
const CONCURRENCY = availableParallelism();
const REQUESTS = 40;
/** Calls that Lambda makes to poll the queues. */
const POLLING = ['sqs:ReceiveMessage', 'sqs:DeleteMessageBatch', 'sqs:GetQueueAttributes'];
/** Clock ticks per second of `/proc`, as Linux has them. */
const TICKS_PER_SECOND = 100;

export type DeliveryWorld = Awaited<ReturnType<typeof startDeliveryWorld>>;

/** The bridge on the local runtime, with a writer of events in place of the poll stage. */
export async function startDeliveryWorld() {
  const bridge = await startBridge({
    templateDir: await synthesize(),
    maxWorkers: CONCURRENCY,
    aws: ideal,
    env: { ALLOW_LOOPBACK: 'true' },
  });
  const table = createTable(bridge.dynamo, bridge.table);
  const hints = createHints({
    client: bridge.sqs,
    queueUrls: { dispatch: bridge.queueUrls.DISPATCH_QUEUE_URL },
    now: Date.now,
    onLost: (_lane, _count, error) => {
      throw error;
    },
  });

  const requests: { requestId: string; counters: Counters; last: number }[] = [];
  for (let n = 0; n < REQUESTS; n++) {
    const requestId = randomUUID();
    await table.write({ put: { ...metaKey(requestId), metadata: { order: String(n) }, callbacks: [] } });
    const outbox = outboxKey({ kind: 'request', requestId });
    await table.write({ put: { ...outbox, accountCursor: { position: 0 }, callbackCursors: {} } });
    requests.push({ requestId, counters: { sequence: 0, position: 0 }, last: 0 });
  }

  /** Commits one event as the poll stage does, and returns its id when it is committed. */
  async function commit(n: number): Promise<string> {
    const request = requests[n % REQUESTS]!;
    const now = Math.max(Date.now(), request.last + 1);
    request.last = now;
    const source = { kind: 'request', requestId: request.requestId } as const;
    const data = { status: 'processing', previousStatus: 'processing', progress: n % 100 };
    const events = eventWrites(source, request.counters, [{ type: 'video.processing', data }], now);
    request.counters = events.counters;
    await table.transact(events.writes);
    const [event] = events.writes;
    void hints.send(events.due);
    return event && 'put' in event ? String(event.put.id) : '';
  }

  /** Creates an account-wide endpoint; returns what deletes it. */
  async function endpoint(url: string): Promise<() => Promise<void>> {
    const { id } = await callApi('POST', '/v1/endpoints', { url, events: ['video.*'] });
    return async () => void (await callApi('DELETE', `/v1/endpoints/${id}`));
  }

  async function callApi(method: string, path: string, body?: unknown): Promise<{ id?: string }> {
    const answer = await fetch(bridge.apiUrl + path, {
      method,
      headers: { authorization: `Bearer ${bridge.apiKey}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path} was answered with ${answer.status}.`);
    return answer.status === 204 ? {} : ((await answer.json()) as { id?: string });
  }

  /** AWS calls so far of the two functions: their own, and those that poll their queues. */
  function awsCalls(): { own: number; polling: number } {
    const counts = bridge.counts();
    const calls = ['dispatch', 'deliver'].flatMap((name) => Object.entries(counts[name] ?? {}));
    const sum = (of: typeof calls) => of.reduce((total, [, count]) => total + count, 0);
    const [polling, own] = [true, false].map((is) => calls.filter(([name]) => POLLING.includes(name) === is));
    return { own: sum(own!), polling: sum(polling!) };
  }

  /** CPU time so far of the processes of the deliver stage, ms. */
  function deliverCpuMs(): number {
    return bridge.pids('deliver').reduce((sum, pid) => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ');
      return sum + ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1_000;
    }, 0);
  }

  return {
    bridge,
    concurrency: CONCURRENCY,
    endpoint,
    commit,
    awsCalls,
    deliverCpuMs,
    stop: () => bridge.stop(),
  };
}
