import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROW_VERSION } from '../../lambdas/domain/rows.ts';
import { generatedSha256 } from '../../local/topaz/video.ts';
import { type Bridge, type Emulators, startBridge, startEmulators } from '../chaos/bridge.ts';
import { check } from '../chaos/checker.ts';
import { allRows } from '../chaos/observe.ts';
import { randomFrom } from '../chaos/random.ts';
import { Actor } from '../chaos/simulation.ts';
import type { Job } from '../chaos/upstream.ts';

const LATER = { v: ROW_VERSION + 1, later: 'of a later release' };

let emulators: Emulators;
let bridge: Bridge;
beforeAll(async () => {
  emulators = await startEmulators();
  bridge = await startBridge(emulators, { random: randomFrom(1), only: [] });
});
afterAll(async () => {
  bridge.stop();
  await emulators.stop();
});

/** Makes all rows that were put so far those of a later release. Returns how many had not been. */
async function writeAsLater(): Promise<number> {
  const { dynamodb, world } = bridge;
  const { tableName } = world;
  const client = DynamoDBDocumentClient.from(dynamodb);
  const rows = (await allRows({ dynamodb, tableName })).filter(({ v }) => v === ROW_VERSION);
  for (const { pk, sk } of rows) {
    await client.send(
      new UpdateCommand({
        TableName: tableName,
        Key: { pk, sk },
        UpdateExpression: 'SET v = :v, later = :later',
        ExpressionAttributeValues: { ':v': LATER.v, ':later': LATER.later },
      }),
    );
  }
  return rows.length;
}

test('a rollback carries on the rows of a later release, and keeps what it does not know of them', async () => {
  const { simulation, users } = bridge;
  const requestId = simulation.random.uuid();
  const bytes = 1_000_000;
  const job: Job = {
    requestId,
    bytes,
    sha256: generatedSha256(requestId, bytes),
    statuses: [
      ['requested', 0],
      ['processing', 20],
      ['complete', 40],
    ],
    faults: [],
    isOrderly: true,
  };
  const user = <T>(work: () => Promise<T>) => simulation.runFor(simulation.as(new Actor('user'), work));
  await user(async () => {
    await users.makeEndpoint('receiver', { kind: 'http', filter: ['video.*'], ordered: true });
    await users.register({ job, copy: true, callback: true });
  });
  const written = [];
  for (let round = 0; round < 12; round++) {
    written.push(await writeAsLater());
    await user(() => simulation.sleep(5_000));
  }
  expect(written.filter((count) => count > 0).length).toBeGreaterThan(2);

  const { history } = await bridge.settle({ promptMs: 2 * 60_000, sendsOnce: true });
  expect(check(history)).toEqual([]);
  const rows = await allRows({ dynamodb: bridge.dynamodb, tableName: bridge.world.tableName });
  const request = rows.find(({ pk, sk }) => pk === `REQ#${requestId}` && sk === 'REQUEST');
  expect(request).toMatchObject({ ...LATER, state: 'done', video: { state: 'stored' } });
  expect(history.said.filter(({ text }) => text.includes(LATER.later))).toEqual([]);
});
