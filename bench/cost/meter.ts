import { setTimeout as pause } from 'node:timers/promises';
import type { AwsCall, JsonAnswer, Layer } from '../../local/aws/front-door.ts';
import type { LogLine } from '../../local/log.ts';
import { type Measure, nothing, type Usage } from './usage.ts';

/** What the API consumed, and what all other functions did. */
export type Reading = { readonly api: Usage; readonly work: Usage };

type Counts = Record<string, Record<string, number>>;

const S3_READS = ['s3:GetObject', 's3:HeadObject'];
/** S3 does not bill these. */
const S3_FREE = ['s3:DeleteObject', 's3:AbortMultipartUpload'];
/** A run is quiet when no function has called AWS for so long, ms. */
const QUIET_MS = 500;

/**
 * Counts what the functions of a local bridge consume. Give `observer` and `log` to the bridge, and its `counts`
 * here: calls of S3 pass no layer.
 */
export function createMeter() {
  let tally = { api: nothing(), work: nothing() };
  let s3Before: Record<string, number> = {};
  let underWay = 0;
  let lastCall = Date.now();

  const observer: Layer = async (call, next) => {
    // A long poll says nothing of work.
    if (call.operation === 'ReceiveMessage') return received(call, await next(call));
    underWay++;
    try {
      const metered = call.service === 'dynamodb' ? withCapacity(call) : call;
      const answer = await next(metered);
      if (call.service === 'dynamodb') {
        const measure = isWrite(call) ? 'writeUnits' : 'readUnits';
        tally[call.caller === 'api' ? 'api' : 'work'][measure] += capacityOf(call, answer);
      }
      // A registration sends the first poll's message.
      if (call.service === 'sqs') tally.work.sqsCalls += deletes(call) ?? 1;
      return answer;
    } finally {
      underWay--;
      lastCall = Date.now();
    }
  };

  /** AWS's queues have many servers, and seldom give two messages out together: each counts as a batch. */
  function received(call: AwsCall, answer: JsonAnswer): JsonAnswer {
    const messages = ((answer.body.Messages ?? []) as unknown[]).length;
    tally.work[`${call.caller}Runs` as Measure] += messages;
    tally.work.sqsCalls += messages;
    if (messages > 0) lastCall = Date.now();
    return answer;
  }

  return {
    observer,
    log: ({ source, line }: LogLine): void => {
      if (source === 'bridge') return;
      tally[source === 'api' ? 'api' : 'work'].logBytes += Buffer.byteLength(line) + 1;
    },
    /** Resolves when no function has called AWS for a moment. */
    quiet: async (): Promise<void> => {
      while (underWay > 0 || Date.now() < lastCall + QUIET_MS) await pause(50);
    },
    /** What was consumed since the last reading. */
    read: (counts: Counts): Reading => {
      const { copy = {} } = counts;
      const reading = tally;
      tally = { api: nothing(), work: nothing() };
      for (const [operation, calls] of Object.entries(copy)) {
        if (!operation.startsWith('s3:') || S3_FREE.includes(operation)) continue;
        const measure = S3_READS.includes(operation) ? 's3Reads' : 's3Writes';
        reading.work[measure] += calls - (s3Before[operation] ?? 0);
      }
      s3Before = copy;
      return reading;
    },
  };
}

/** Messages that a call deletes: as many calls as received them. */
function deletes({ operation, body = {} }: AwsCall): number | undefined {
  return operation === 'DeleteMessageBatch' ? (body.Entries as unknown[]).length : undefined;
}

const withCapacity = (call: AwsCall): AwsCall => ({
  ...call,
  body: { ...call.body, ReturnConsumedCapacity: 'TOTAL' },
});

const isWrite = ({ operation }: AwsCall): boolean =>
  /^(Put|Update|Delete|TransactWrite|BatchWrite)/.test(operation);

/** What DynamoDB says; it does not say what a refused write costs: at least one unit a row, two in a transaction. */
function capacityOf(call: AwsCall, { status, body }: JsonAnswer): number {
  const { TransactItems = [] } = (call.body ?? {}) as { TransactItems?: unknown[] };
  if (status !== 200) return isWrite(call) ? Math.max(1, 2 * TransactItems.length) : 0;
  const capacities = [body.ConsumedCapacity ?? []].flat() as { CapacityUnits: number }[];
  return capacities.reduce((sum, { CapacityUnits }) => sum + CapacityUnits, 0);
}
