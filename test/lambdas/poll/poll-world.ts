import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Context, SQSEvent } from 'aws-lambda';
import { onTestFinished, vi } from 'vitest';
import type { Write } from '../../../lambdas/adapters/dynamodb/expression.ts';
import { createTable } from '../../../lambdas/adapters/dynamodb/table.ts';
import { log } from '../../../lambdas/adapters/lambda/log.ts';
import { createSecret } from '../../../lambdas/adapters/secrets.ts';
import { requestView } from '../../../lambdas/api/requests/request-view.ts';
import type { CopyRow } from '../../../lambdas/domain/copying/copy.ts';
import type { EventRow } from '../../../lambdas/domain/events/event.ts';
import type { OutboxRow } from '../../../lambdas/domain/events/outbox.ts';
import type { UpstreamPause } from '../../../lambdas/domain/polling/upstream-pause.ts';
import type { MetaRow, RequestRow } from '../../../lambdas/domain/requests/request.ts';
import { copyKey, metaKey, outboxKey, requestKey, upstreamPauseKey } from '../../../lambdas/domain/rows.ts';
import type { Hint, RowKey } from '../../../lambdas/domain/work.ts';
import { encodeHints } from '../../../lambdas/engine/hint-message.ts';
import { createPoll } from '../../../lambdas/poll/poll.ts';
import { createTopaz } from '../../../lambdas/poll/topaz.ts';
import { API_KEY, simulatedTopaz } from '../../local/topaz/simulated-topaz.ts';
import { testClaims, testClock } from '../../support/claims.ts';
import { newTable, type TestDatabase } from '../../support/dynamodb.ts';
import { recordHints } from '../../support/recorded-hints.ts';
import { requestRow } from '../../support/rows.ts';
import { TRANSITION_SETTINGS } from '../../support/transition.ts';

export const PLACEHOLDER = '{"placeholder":"put your Topaz API key here","random":"x"}';
const POLLS_PER_SECOND = 5;

let requests = 0;

/**
 * The poll stage between a table of its own and a simulated Topaz over HTTP. Time stands still but
 * for what a test advances, and what the limiter waits.
 */
export async function pollWorld(
  { client }: TestDatabase,
  { timeoutMs = 10_000, pendingDays = 8, clock = testClock() } = {},
) {
  const { now } = clock;
  const topaz = await simulatedTopaz({ now });
  const writes: Write[][] = [];
  const real = createTable(client, await newTable(client));
  const table: typeof real = {
    ...real,
    write: (change) => {
      writes.push([change]);
      return real.write(change);
    },
    transact: (changes) => {
      writes.push([...changes]);
      return real.transact(changes);
    },
  };
  const hints = recordHints(real);
  const claims = testClaims(table, clock);
  const secret = { text: API_KEY, reads: 0 };
  const lines: string[] = [];
  const record = (...line: unknown[]) => void lines.push(line.map(inFull).join(' '));
  for (const level of ['info', 'warn', 'error'] as const) vi.spyOn(log, level).mockImplementation(record);
  onTestFinished(() => void vi.restoreAllMocks());

  const settings = { ...TRANSITION_SETTINGS, pendingMs: pendingDays * 86_400_000 };
  const counted: Record<string, number> = {};
  const sent: number[] = [];
  const starts: number[] = [];
  const pauses: UpstreamPause[] = [];
  const secretsManager = {
    send: async () => {
      secret.reads++;
      return { SecretString: secret.text };
    },
  } as unknown as SecretsManagerClient;

  /** A container of the function: its caches, its limiter. */
  function startWorker(faults: { transact?: typeof real.transact } = {}) {
    const handler = createPoll({
      table: { ...table, ...faults },
      claims: testClaims({ ...table, ...faults }, clock),
      hints,
      now,
      random: () => 0,
      sleep: async (ms) => {
        clock.advance(ms);
        starts.push(now());
      },
      topaz: createTopaz({
        baseUrl: `${topaz.url}/`,
        apiKey: createSecret(secretsManager, 'topaz-key', now),
        fetch: (...call) => {
          sent.push(now());
          return fetch(...call);
        },
        now,
        timeoutMs,
      }),
      perSecond: POLLS_PER_SECOND,
      retentionDays: 30,
      settings,
      onPause: (applied) => pauses.push(applied),
      count: (metric, value = 1) => {
        counted[metric] = (counted[metric] ?? 0) + value;
      },
      log,
    });
    return {
      /** One invocation with these hints; the function has `remainingMs` left. */
      invoke: (named: readonly Hint[], remainingMs = 60_000) => {
        const end = now() + remainingMs;
        const context = { getRemainingTimeInMillis: () => end - now() } as Context;
        const records = [{ messageId: 'm', body: encodeHints('poll', named) }];
        return handler({ Records: records } as SQSEvent, context);
      },
    };
  }

  const worker = startWorker();

  /** A registered request that is due now; its job has been through these statuses, at seconds from now. */
  async function register(
    statuses: readonly (readonly [status: string, at: number])[] = [['processing', 0]],
    changes: Partial<RequestRow> = {},
    faults: readonly Record<string, unknown>[] = [],
  ) {
    const requestId = `6f2c8f0e-0f4b-4a4e-9d36-${String(++requests).padStart(12, '0')}`;
    await topaz.set({ requestId, trace: { statuses, progress: [] }, faults });
    const times = { statusSince: now(), registeredAt: now(), startedAt: now() };
    const row = requestRow({ requestId, ...times, lane: 'poll', dueAt: now(), ...changes });
    await real.write({ put: row });
    await real.write({ put: { ...metaKey(requestId), metadata: {}, callbacks: [] } });
    return request(requestId);
  }

  function request(requestId: string) {
    const get = <T extends RowKey>(key: RowKey) => real.get<T>(key);
    const row = async () => (await get<RequestRow>(requestKey(requestId))) as RequestRow;
    return {
      requestId,
      row,
      copy: () => get<CopyRow>(copyKey(requestId)),
      outbox: () => get<OutboxRow>(outboxKey({ kind: 'request', requestId })),
      events: async () => {
        const partition = requestKey(requestId).pk;
        return (await real.query<EventRow>({ partition, prefix: 'EVENT#', limit: 100, consistent: true }))
          .rows;
      },
      /** As `GET /v1/requests/{requestId}` shows it. */
      view: async () => {
        const meta = (await get<MetaRow>(metaKey(requestId))) as MetaRow;
        return requestView({ request: await row(), parked: [], meta }, { id: 'admin', role: 'admin' });
      },
      hint: async (): Promise<Hint> => {
        const { pk, sk, dueAt = 0 } = await row();
        return { pk, sk, dueAt };
      },
      /** Turns time on to when it is due, and polls it. */
      poll: async () => {
        const { pk, sk, dueAt = 0 } = await row();
        clock.advance(Math.max(0, dueAt - now()));
        await worker.invoke([{ pk, sk, dueAt }]);
      },
      update: (change: Record<string, unknown>) =>
        real.write({ update: requestKey(requestId), set: change, remove: ['owner', 'claims'] }),
    };
  }

  return {
    clock,
    topaz,
    table: real,
    transact: table.transact,
    hints,
    claims,
    secret,
    lines,
    pauses,
    counted,
    /** When upstream was called, and when the limiter allowed it, ms since epoch. */
    sent,
    starts,
    /** The writes made through the stage, each a list: of one, or of a transaction. */
    writes,
    worker,
    startWorker,
    register,
    request,
    pause: () => real.get<UpstreamPause & RowKey>(upstreamPauseKey),
  };
}

const inFull = (part: unknown): string =>
  part instanceof Error ? `${part.name} ${part.message} ${part.stack}` : JSON.stringify(part, errorsInFull);
const errorsInFull = (_key: string, value: unknown) => (value instanceof Error ? inFull(value) : value);
