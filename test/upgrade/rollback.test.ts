import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROW_VERSION } from '../../lambdas/domain/rows.ts';
import type { RowKey } from '../../lambdas/domain/work.ts';
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

const all = () => allRows({ dynamodb: bridge.dynamodb, tableName: bridge.world.tableName });
const nameOf = ({ pk, sk }: RowKey): string => `${pk} ${sk}`;

/** Makes all rows that were put so far those of a later release. Returns the names of those that had not been. */
async function writeAsLater(): Promise<string[]> {
  const { dynamodb, world } = bridge;
  const { tableName } = world;
  const client = DynamoDBDocumentClient.from(dynamodb);
  const rows = (await all()).filter(({ v }) => v === ROW_VERSION);
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
  return rows.map(nameOf);
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
  const written = new Set<string>();
  const requestRow = async () =>
    (await all()).find(({ pk, sk }) => pk === `REQ#${requestId}` && sk === 'REQUEST');
  const isStored = async () => ((await requestRow())?.video as { state?: string })?.state === 'stored';
  for (let round = 0; round < 1_000 && !(await isStored()); round++) {
    for (const name of await writeAsLater()) written.add(name);
    await user(() => simulation.sleep(50 + simulation.random.next() * 400));
  }

  const { history } = await bridge.settle({ promptMs: 2 * 60_000, sendsOnce: true });
  expect(check(history)).toEqual([]);
  const rows = await all();
  expect(await requestRow()).toMatchObject({ state: 'done', video: { state: 'stored' } });
  for (const sk of ['REQUEST', 'COPY']) expect([...written]).toContain(`REQ#${requestId} ${sk}`);
  const left = rows.filter((row) => written.has(nameOf(row)));
  expect(left.filter(({ v, later }) => v !== LATER.v || later !== LATER.later)).toEqual([]);
  expect(history.said.filter(({ text }) => text.includes(LATER.later))).toEqual([]);
});
