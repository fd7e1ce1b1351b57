import middy from '@middy/core';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { ConditionFailed } from '../adapters/dynamodb/condition-failed.ts';
import { log } from '../adapters/lambda/log.ts';
import { addMetric, publishMetrics } from '../adapters/lambda/metrics.ts';
import type { Due, Hint, Lane, RowKey } from '../domain/work.ts';
import { about } from './about.ts';
import type { Claim } from './claim-writes.ts';
import type { Claims } from './claims.ts';
import { outcomeOf } from './failure.ts';
import { decodeHints } from './hint-message.ts';
import type { DueRows, Hints } from './hints.ts';
import { inParallel } from './in-parallel.ts';

/** What the work gets besides its claim. */
export type WorkContext = {
  /** When the worker must have stopped, ms since epoch: before the function's time-out. */
  readonly deadline: number;
  /** Hints what a commit made due. Never rejects: the sweep finds a row whose hint is lost. */
  readonly hint: (due: DueRows) => Promise<void>;
};

export type StageOptions<T extends RowKey> = {
  readonly lanes: readonly Lane[];
  readonly claims: Claims;
  readonly hints: Pick<Hints, 'send'>;
  readonly now: () => number;
  /** Does the row's work and releases the claim, or throws (see failure.ts). */
  readonly work: (claim: Claim<T>, context: WorkContext) => Promise<void>;
  /** Runs before each invocation's rows. */
  readonly before?: () => void;
  /** Rows for which it returns the same text are worked on one after another, in the order of the messages. */
  readonly sequence?: (hint: Hint) => string;
  /** Rows worked on at a time. */
  readonly concurrency?: number;
  /** What a row's work may take, ms: none begins when the function has less time left. */
  readonly rowMs?: number;
};

/**
 * The handler of a stage that an SQS queue wakes: claims the rows that the messages name, does their
 * work, and answers with the messages whose rows could not be claimed for an error. A row whose work
 * failed is not one of them: it was rescheduled, and its old message is obsolete. Rows that there is no
 * time for are hinted again: their message would come back only after minutes.
 *
 * Rows that were claimed before without progress run last and alone: if one of them kills its worker, no
 * other row is affected.
 */
export function stage<T extends RowKey>(options: StageOptions<T>) {
  const { lanes, claims, hints, now, work, before, sequence, concurrency = 10, rowMs = 5_000 } = options;

  async function handle(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
    const deadline = now() + context.getRemainingTimeInMillis() - rowMs;
    const unclaimed = new Set<string>();
    const notStarted: Due[] = [];
    const suspects: Claim<T>[] = [];
    before?.();

    const wanted = event.Records.flatMap((record) => named(record, lanes));
    await inParallel(sequences(wanted), concurrency, async (sequence) => {
      for (const each of sequence) await begin(each);
    });
    for (const claim of suspects) {
      if (now() < deadline) await run(claim, deadline);
      else await unclaim(claim);
    }
    await hints.send(notStarted);
    publishMetrics();
    return { batchItemFailures: [...unclaimed].map((itemIdentifier) => ({ itemIdentifier })) };

    async function begin({ record, due }: Named): Promise<void> {
      if (now() >= deadline) {
        notStarted.push(due);
        return;
      }
      const claim = await take(due);
      if (claim === 'unavailable') unclaimed.add(record.messageId);
      else if (claim !== 'gone') {
        if (claim.claimsWithoutProgress > 0) suspects.push(claim);
        else await run(claim, deadline);
      }
    }
  }

  function sequences(rows: readonly Named[]): Named[][] {
    if (!sequence) return rows.map((row) => [row]);
    return [...Map.groupBy(rows, ({ due }) => sequence(due)).values()];
  }

  async function take(due: Due): Promise<Claim<T> | 'gone' | 'unavailable'> {
    try {
      const claim = await claims.claim<T>(due.lane, due);
      if (claim !== 'parked') return claim;
      report(due.lane, due, 'claimed too often without progress');
      return 'gone';
    } catch (error) {
      log.error('claim failed', { ...about(due.lane, due), error: error as Error });
      return 'unavailable';
    }
  }

  async function run(claim: Claim<T>, deadline: number): Promise<void> {
    try {
      await work(claim, { deadline, hint: hints.send });
    } catch (error) {
      await settle(claim, error);
    }
  }

  async function unclaim(claim: Claim<T>): Promise<void> {
    await release(claim, async () => hints.send(await claims.unclaim(claim)));
  }

  async function settle(claim: Claim<T>, error: unknown): Promise<void> {
    const subject = about(claim.lane, claim.row);
    if (claim.ended) {
      log.error('failed after the claim ended', { ...subject, error: error as Error });
      return;
    }
    const outcome = outcomeOf(error, claim.claimsWithoutProgress + 1);
    await release(claim, async () => {
      if (outcome === 'park') {
        const reason = error instanceof Error ? error.message : String(error);
        if (await claims.park(claim, reason)) return report(claim.lane, claim.row, reason);
      } else {
        const due = await claims.retry(claim, error instanceof Error ? error.name : typeof error);
        if (due) {
          log.error('work failed', { ...subject, retryAt: due.dueAt, error: error as Error });
          return hints.send(due);
        }
      }
      // The row is no longer this worker's. A failed condition says no more than that.
      log.info('superseded', {
        ...subject,
        ...(!(error instanceof ConditionFailed) && { error: error as Error }),
      });
    });
  }

  /** Ends a claim. When that fails too, the lease runs out, and the sweep finds the row. */
  async function release({ lane, row }: Claim<T>, end: () => Promise<void>): Promise<void> {
    try {
      await end();
    } catch (cause) {
      log.error('release failed', { ...about(lane, row), error: cause as Error });
    }
  }

  // Middy would answer just before the time-out, and the work would go on during the next invocation's.
  // Lambda's own time-out ends the process, and the work with it.
  return middy<SQSEvent, SQSBatchResponse>({ timeoutEarlyInMillis: 0 }).handler(handle);
}

type Named = { readonly record: SQSRecord; readonly due: Due };

function named(record: SQSRecord, lanes: readonly Lane[]): Named[] {
  const message = decodeHints(record.body);
  if (!message || !lanes.includes(message.lane)) {
    log.error('not a message of this stage; dropped', { messageId: record.messageId });
    return [];
  }
  return message.hints.map((hint) => ({ record, due: { ...hint, lane: message.lane } }));
}

function report(lane: Lane, row: RowKey, reason: string): void {
  log.error('parked', { ...about(lane, row), reason });
  addMetric('ParkedRows');
}
