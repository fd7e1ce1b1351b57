import { expect, it } from 'vitest';
import { seededRandom } from '../../../local/aws/random.ts';
import { transactionConflicts } from '../../../local/aws/transaction-conflicts.ts';
import { item, rows, through } from './emulated.ts';

const put = (pk: string) => ({ Put: { TableName: 'Table', Item: item({ pk, sk: 'x' }) } });
const check = (pk: string) => ({ ConditionCheck: { TableName: 'Table', Key: item({ pk, sk: 'x' }) } });

function table(share = 0) {
  const release = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const call = through(
    transactionConflicts(rows(), share, seededRandom(1)),
    async ({ operation, body = {} }) => {
      if (operation === 'TransactWriteItems' && (body.TransactItems as object[]).length > 1) {
        started.resolve();
        await release.promise;
      }
      return { status: 200, body: {} };
    },
  );
  const transact = (TransactItems: object[]) => call('dynamodb', 'TransactWriteItems', { TransactItems });
  return { call, transact, release, started };
}

it('a transaction at work is in the way of other writes of its rows, and of those only', async () => {
  const { call, transact, release, started } = table();
  const first = transact([put('a'), put('b')]);
  await started.promise;
  const write = (pk: string) => call('dynamodb', 'PutItem', put(pk).Put);
  expect(await write('a')).toMatchObject({
    status: 400,
    body: { __type: expect.stringContaining('TransactionConflictException') },
  });
  expect((await write('c')).status).toBe(200);
  release.resolve();
  expect((await first).status).toBe(200);
  expect((await write('a')).status).toBe(200);
});

it('a canceled transaction names the places of the rows that are in the way', async () => {
  const { transact, release, started } = table();
  const first = transact([put('a'), put('b')]);
  await started.promise;
  const { body } = await transact([check('z'), put('b'), put('c')]);
  expect(body.CancellationReasons).toMatchObject([
    { Code: 'None' },
    { Code: 'TransactionConflict' },
    { Code: 'None' },
  ]);
  release.resolve();
  await first;
});

it('a share of the writes meets a conflict without an overlap', async () => {
  const { call } = table(0.2);
  let conflicts = 0;
  for (let n = 0; n < 500; n++) {
    conflicts += (await call('dynamodb', 'PutItem', put(String(n)).Put)).status === 400 ? 1 : 0;
  }
  expect(conflicts).toBeGreaterThan(60);
  expect(conflicts).toBeLessThan(140);
});
