import { randomUUID } from 'node:crypto';
import { BatchWriteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { createTable } from '../../lambdas/adapters/dynamodb/table.ts';
import { requestKey } from '../../lambdas/domain/rows.ts';
import { type Hint, LANES, type Lane } from '../../lambdas/domain/work.ts';
import { createClaims } from '../../lambdas/engine/claims.ts';
import { decodeHints } from '../../lambdas/engine/hint-message.ts';
import { createHints } from '../../lambdas/engine/hints.ts';
import { createQueueDepth } from '../../lambdas/tick/queue-depth.ts';
import { createSweep } from '../../lambdas/tick/sweep.ts';
import { startDynamo, startSqs } from '../../local/aws/emulators.ts';
import { createBridgeTable } from '../../test/support/bridge-table.ts';

/** What was sent to AWS since the meter was last read. */
type Reading = { awsCalls: number; readUnits: number; messages: number; hintedRows: string[] };

export type TickWorld = Awaited<ReturnType<typeof startTickWorld>>;

const LANE: Lane = 'poll';
const access = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
};

/**
 * The deployed sweep with the SDK's clients over HTTP, between DynamoDB and SQS as they run locally.
 * Its time is virtual; rows are requests that wait for a poll.
 */
export async function startTickWorld() {
  const [dynamo, sqs] = await Promise.all([startDynamo(), startSqs()]);
  const dynamoClient = new DynamoDBClient({ ...access, endpoint: dynamo.url });
  const sqsClient = new SQSClient({ ...access, endpoint: sqs.url });
  const tableName = 'bridge';
  await createBridgeTable(dynamoClient, tableName);
  const queueUrls = {} as Record<Lane, string>;
  for (const lane of LANES) {
    const { QueueUrl = '' } = await sqsClient.send(new CreateQueueCommand({ QueueName: lane }));
    queueUrls[lane] = QueueUrl;
  }

  let time = Date.now();
  const now = () => time;
  const meter = createMeter();
  meter.attach(dynamoClient);
  meter.attach(sqsClient);
  const table = createTable(dynamoClient, tableName);
  const hints = createHints({
    client: sqsClient,
    queueUrls,
    now,
    onLost: (_lane, _count, error) => {
      throw error;
    },
  });
  const sweep = createSweep({ table, hints, visibleMessages: createQueueDepth(sqsClient, queueUrls), now });
  const claims = createClaims(table, now, randomUUID);

  /** Writes `count` rows, the first due at `dueAt` (ms since epoch) and each next one `every` ms later. */
  async function seed(count: number, dueAt: number, every: number): Promise<Hint[]> {
    const rows = Array.from({ length: count }, (_, n) => ({
      ...requestKey(randomUUID()),
      dueAt: dueAt + n * every,
    }));
    let next = 0;
    const writer = async () => {
      for (let at = next; at < rows.length; at = next) {
        next += 25;
        const puts = rows.slice(at, at + 25).map((row) => ({ PutRequest: { Item: itemOf(row) } }));
        await dynamoClient.send(new BatchWriteItemCommand({ RequestItems: { [tableName]: puts } }));
      }
    };
    await Promise.all(Array.from({ length: 8 }, writer));
    return rows;
  }

  /** Takes messages and does the work of their rows, until it has done `count` or the queue is empty. */
  async function work(count: number): Promise<number> {
    const QueueUrl = queueUrls[LANE];
    for (let done = 0; ; ) {
      if (done >= count) return done;
      const { Messages = [] } = await sqsClient.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }),
      );
      if (Messages.length === 0) return done;
      for (const hint of Messages.flatMap(({ Body = '' }) => decodeHints(Body)?.hints ?? [])) {
        const claim = await claims.claim(LANE, hint);
        if (claim === 'gone' || claim === 'parked') continue;
        await claims.finish(claim);
        done++;
      }
      const Entries = Messages.map(({ ReceiptHandle }, n) => ({ Id: String(n), ReceiptHandle }));
      await sqsClient.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    }
  }

  return {
    now,
    advance: (ms: number) => {
      time += ms;
    },
    seed,
    /** Hints rows as the writers do that make them due. */
    hint: (rows: readonly Hint[]) => hints.send(rows.map((row) => ({ ...row, lane: LANE }))),
    purge: () => sqsClient.send(new PurgeQueueCommand({ QueueUrl: queueUrls[LANE] })),
    work,
    sweep,
    /** The reading since the last one. */
    read: meter.read,
    stop: async () => {
      dynamoClient.destroy();
      sqsClient.destroy();
      await Promise.all([dynamo.stop(), sqs.stop()]);
    },
  };
}

/** Counts a client's calls, the capacity that DynamoDB says they consumed, and the rows named to SQS. */
function createMeter() {
  const empty = (): Reading => ({ awsCalls: 0, readUnits: 0, messages: 0, hintedRows: [] });
  let reading = empty();

  function attach(client: DynamoDBClient | SQSClient): void {
    (client as DynamoDBClient).middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          const input = args.input as unknown as Record<string, unknown>;
          if (commandName === 'QueryCommand') input.ReturnConsumedCapacity = 'TOTAL';
          if (commandName === 'SendMessageBatchCommand') {
            const entries = input.Entries as { MessageBody: string }[];
            reading.messages += entries.length;
            for (const { MessageBody } of entries) {
              reading.hintedRows.push(...(decodeHints(MessageBody)?.hints ?? []).map(({ pk }) => pk));
            }
          }
          reading.awsCalls++;
          const result = await next(args);
          const { ConsumedCapacity } = result.output as { ConsumedCapacity?: { CapacityUnits?: number } };
          reading.readUnits += ConsumedCapacity?.CapacityUnits ?? 0;
          return result;
        },
      { step: 'initialize', name: 'meter' },
    );
  }

  return {
    attach,
    read: (): Reading => {
      const read = reading;
      reading = empty();
      return read;
    },
  };
}

const itemOf = ({ pk, sk, dueAt }: Hint) => ({
  pk: { S: pk },
  sk: { S: sk },
  lane: { S: LANE },
  dueAt: { N: String(dueAt) },
});
