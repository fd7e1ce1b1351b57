import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { BatchWriteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createTable } from '../../lambdas/adapters/dynamodb/table.ts';
import { AWS_CLIENT } from '../../lambdas/adapters/lambda/aws-client.ts';
import { deliveryKey } from '../../lambdas/domain/rows.ts';
import type { Hint } from '../../lambdas/domain/work.ts';
import { finishWrite } from '../../lambdas/engine/claim-writes.ts';
import { createClaims } from '../../lambdas/engine/claims.ts';
import { inParallel } from '../../lambdas/engine/in-parallel.ts';
import { startDynamo } from '../../local/aws/emulators.ts';
import { createBridgeTable } from '../../test/support/bridge-table.ts';
import { quantile } from '../quantile.ts';
import { type Capacity, startThrottlingProxy } from './throttling-proxy.ts';

export type Retries = { readonly retryMode: 'standard' | 'adaptive'; readonly maxAttempts: number };

type Load = {
  readonly workers: number;
  /** Deliveries in the backlog. */
  readonly rows: number;
  /** How long a receiver takes, ms. */
  readonly sendMs: number;
  /** Whether the end of a delivery is recorded in a transaction with another row, as for rate-limited endpoints. */
  readonly transactions: boolean;
};

export type Throttled = {
  readonly seconds: number;
  /** Share of the capacity that was used. */
  readonly used: number;
  /** Share of the writes that were refused at least once or again. */
  readonly refused: number;
  /** Deliveries that could not be claimed: their message shows up again after minutes. */
  readonly unclaimed: number;
  /** Deliveries whose end could not be recorded after they were sent: they are sent again. */
  readonly sentTwice: number;
  /** From the answer of the receiver until its delivery is recorded, ms. */
  readonly recordP50: number;
  readonly recordP99: number;
  /** The longest batch, s: Lambda ends it at 60. */
  readonly longestBatch: number;
};

const BATCH = 10;
const LANE = 'deliver';
const ACCESS = { region: 'us-east-1', credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' } };

/** Workers that empty a backlog of due deliveries through a partition of the index that takes less than they could. */
export async function measureThrottled(retries: Retries, load: Load, capacity: Capacity): Promise<Throttled> {
  const dynamo = await startDynamo();
  const operator = new DynamoDBClient({ ...ACCESS, endpoint: dynamo.url });
  const tableName = 'bridge';
  await createBridgeTable(operator, tableName);
  const backlog = await seed(operator, tableName, load.rows);
  operator.destroy();

  const proxy = await startThrottlingProxy(dynamo.url, capacity);
  const recorded: number[] = [];
  let unclaimed = 0;
  let sentTwice = 0;
  let longestBatch = 0;

  async function work(): Promise<void> {
    const client = new DynamoDBClient({ ...ACCESS, ...AWS_CLIENT, ...retries, endpoint: proxy.url });
    const claims = createClaims(createTable(client, tableName), Date.now, randomUUID);
    for (let batch = backlog.splice(0, BATCH); batch.length > 0; batch = backlog.splice(0, BATCH)) {
      const began = performance.now();
      await inParallel(batch, BATCH, async (hint) => {
        const claim = await claims.claim(LANE, hint).catch(() => undefined);
        if (claim === undefined) unclaimed++;
        if (typeof claim !== 'object') return;
        await sleep(load.sendMs);
        const answered = performance.now();
        try {
          if (load.transactions) {
            const beside = { pk: 'BESIDE', sk: claim.row.sk };
            await claims.commit(claim, finishWrite(claim), [{ put: beside }]);
          } else await claims.finish(claim);
          recorded.push(performance.now() - answered);
        } catch {
          sentTwice++;
        }
      });
      longestBatch = Math.max(longestBatch, performance.now() - began);
    }
    client.destroy();
  }

  const began = performance.now();
  await Promise.all(Array.from({ length: load.workers }, work));
  const seconds = (performance.now() - began) / 1000;
  await proxy.stop();
  await dynamo.stop();

  const { admitted, refused } = proxy.counts;
  return {
    seconds,
    used: (admitted * capacity.unitsPerWrite) / (seconds * capacity.unitsPerSecond),
    refused: refused / (admitted + refused),
    unclaimed,
    sentTwice,
    recordP50: quantile(recorded, 0.5),
    recordP99: quantile(recorded, 0.99),
    longestBatch: longestBatch / 1000,
  };
}

async function seed(client: DynamoDBClient, tableName: string, count: number): Promise<Hint[]> {
  const dueAt = Date.now();
  const hints = Array.from({ length: count }, () => ({ ...deliveryKey('ep_bench', randomUUID()), dueAt }));
  for (let at = 0; at < count; at += 25) {
    const puts = hints.slice(at, at + 25).map(({ pk, sk, dueAt }) => ({
      PutRequest: {
        Item: { pk: { S: pk }, sk: { S: sk }, lane: { S: LANE }, dueAt: { N: String(dueAt) } },
      },
    }));
    await client.send(new BatchWriteItemCommand({ RequestItems: { [tableName]: puts } }));
  }
  return hints;
}
