import { expect, test } from 'vitest';
import { ConditionFailed } from '../../../lambdas/adapters/dynamodb/condition-failed.ts';
import type { EndpointRow } from '../../../lambdas/domain/delivering/endpoint.ts';
import { changed, type EndpointChange } from '../../../lambdas/domain/delivering/endpoint-change.ts';
import { callbackExpiry } from '../../../lambdas/domain/retention.ts';
import { endpointKey } from '../../../lambdas/domain/rows.ts';
import { change, ensured } from '../../../lambdas/rows/endpoints.ts';
import { useDatabase } from '../../support/dynamodb.ts';
import { endpointRow, START } from '../../support/rows.ts';

const database = useDatabase();
const DAY = 86_400_000;

async function stored(changes: Partial<EndpointRow> = {}): Promise<EndpointRow> {
  const row = endpointRow(1, changes);
  const endpoint = { ...row, ...endpointKey(row.id) };
  await database().table.write({ put: endpoint });
  return endpoint;
}

const writesOf = (endpoint: EndpointRow, given: EndpointChange) =>
  change(endpoint, changed(endpoint, given), START).writes;

test('a new URL does not get the headers that another call gave for the old one at the same time', async () => {
  const { table } = database();
  const endpoint = await stored({ url: 'https://old.example/hook' });
  const toNewHost = writesOf(endpoint, { url: 'https://new.example/hook' });
  await table.transact(writesOf(endpoint, { headers: { authorization: 'for the old host' } }));
  await expect(table.transact(toNewHost)).rejects.toThrow(ConditionFailed);
});

test('headers do not go to a URL that another call gave at the same time', async () => {
  const { table } = database();
  const endpoint = await stored({ url: 'https://old.example/hook' });
  const forOldHost = writesOf(endpoint, { headers: { authorization: 'for the old host' } });
  await table.transact(writesOf(endpoint, { url: 'https://new.example/hook' }));
  await expect(table.transact(forOldHost)).rejects.toThrow(ConditionFailed);
});

test('a registration lets no callback expire that a person changes at the same time', async () => {
  const { table } = database();
  const expiry = callbackExpiry(START, 30, undefined)!;
  const there = await stored({ kind: 'callback', expiresAt: expiry });
  // A registration makes the row of the URL alone.
  const { expiresAt, ...named } = there;
  const renewal = ensured(named, there, START + 3 * DAY, 30)!;
  await table.transact(writesOf(there, { description: 'made by a person' }));
  await expect(table.write(renewal)).rejects.toThrow(ConditionFailed);
});
