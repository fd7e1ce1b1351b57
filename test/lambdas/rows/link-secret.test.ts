import { randomBytes } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { createTable, type Table } from '../../../lambdas/adapters/dynamodb/table.ts';
import { linkSecretKey, ROW_VERSION } from '../../../lambdas/domain/rows.ts';
import { createLinkSecret } from '../../../lambdas/rows/link-secret.ts';
import { newTable, useDatabase } from '../../support/dynamodb.ts';

const database = useDatabase();
let table: Table;
let now: number;
beforeEach(async () => {
  table = createTable(database().client, await newTable(database().client));
  now = 0;
});

/** The secret as another process reads it. */
const process = (its: Pick<Table, 'get' | 'write'> = table) => createLinkSecret(its, randomBytes, () => now);

test('processes that need the secret at once make one, and later ones use it, too', async () => {
  const [first, ...others] = await Promise.all(Array.from({ length: 5 }, () => process()()));
  expect(first).toMatch(/^[\w-]{43}$/);
  expect(new Set([...others, await process()()])).toEqual(new Set([first]));
});

test('the secret is in no index, so that no list shows its row', async () => {
  const secret = await process()();
  expect(await table.get(linkSecretKey)).toEqual({ ...linkSecretKey, secret, v: ROW_VERSION });
});

test('the secret is used for a minute and then read again', async () => {
  let reads = 0;
  const read = process({
    ...table,
    get: (key) => {
      reads++;
      return table.get(key);
    },
  });
  const secret = await read();
  const readsAtFirst = reads;
  now = 59_999;
  expect(await read()).toBe(secret);
  expect(reads).toBe(readsAtFirst);
  await table.write({ update: linkSecretKey, set: { secret: 'put by hand' } });
  now = 60_000;
  expect(await read()).toBe('put by hand');
});

test('a deleted secret is replaced by a new one for all processes within a minute', async () => {
  const readers = [process(), process()];
  const before = await readers[0]!();
  await table.write({ delete: linkSecretKey });
  now = 60_000;
  const [after, same] = await Promise.all(readers.map((read) => read()));
  expect(after).not.toBe(before);
  expect(same).toBe(after);
});

test('a failed read is an error, and the next one reads again', async () => {
  let isThrottled = true;
  const read = process({
    ...table,
    get: async (key) => {
      if (isThrottled) throw new Error('throttled');
      return table.get(key);
    },
  });
  await expect(read()).rejects.toThrow('throttled');
  isThrottled = false;
  expect(await read()).toBe(await process()());
});

test.each([[{}], [{ secret: '' }]])(
  'a row with %j, by which anyone could sign, is an error that names the remedy',
  async (content) => {
    await table.write({ put: { ...linkSecretKey, ...content } });
    await expect(process()()).rejects.toThrow('delete it, and the bridge makes a new one');
  },
);
