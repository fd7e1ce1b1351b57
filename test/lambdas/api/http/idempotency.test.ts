import { beforeEach, expect, test } from 'vitest';
import { ConditionFailed } from '../../../../lambdas/adapters/dynamodb/condition-failed.ts';
import { absent } from '../../../../lambdas/adapters/dynamodb/expression.ts';
import {
  createIdempotency,
  KeyReused,
  type Outcome,
  type Scope,
} from '../../../../lambdas/api/http/idempotency.ts';
import { useDatabase } from '../../../support/dynamodb.ts';

const database = useDatabase();
const OUTCOME: Outcome = { status: 201, ids: { id: 'a' } };
let scope: Scope;
let tests = 0;

beforeEach(() => {
  scope = { caller: 'admin', method: 'POST', path: '/v1/things', key: `key-${++tests}`, request: 'body' };
});

const at = (now: number) => createIdempotency(database().table, () => now);
const thing = (name: string) => ({ pk: `THING#${scope.key}#${name}`, sk: 'THING' });

test('the effect and its outcome are one transaction', async () => {
  const { once } = at(0);
  await once(scope, (commit) => commit([{ put: thing('a'), if: [absent('pk')] }], OUTCOME));
  await expect(
    once({ ...scope, key: 'another' }, (commit) =>
      commit([{ put: thing('a'), if: [absent('pk')] }], OUTCOME),
    ),
  ).rejects.toThrow(ConditionFailed);
  const retried = await once({ ...scope, key: 'another' }, async () => ({ status: 200, ids: {} }));
  expect(retried.status).toBe(200);
});

test('of many at once one takes effect, and all answer with its outcome', async () => {
  const { once } = at(0);
  const outcomes = await Promise.all(
    ['a', 'b', 'c', 'd'].map((name) =>
      once(scope, (commit) => commit([{ put: thing(name) }], { status: 201, ids: { name } })),
    ),
  );
  const names = new Set(outcomes.map(({ ids }) => ids.name as string));
  expect(names.size).toBe(1);
  const rows = await database().table.getMany(['a', 'b', 'c', 'd'].map(thing));
  expect(rows.filter((row) => row)).toEqual([expect.objectContaining(thing([...names][0] as string))]);
});

test('an effect that fails because the same key was first answers as that one did', async () => {
  const { once } = at(0);
  const outcome = await once(scope, async () => {
    await once(scope, (commit) => commit([], OUTCOME));
    throw new Error('the thing is there already');
  });
  expect(outcome).toEqual(OUTCOME);
});

test('another request with the same key is refused', async () => {
  const { once } = at(0);
  await once(scope, (commit) => commit([], OUTCOME));
  await expect(once({ ...scope, request: 'other' }, (commit) => commit([], OUTCOME))).rejects.toThrow(
    KeyReused,
  );
});

test.each(['caller', 'method', 'path'] as const)(
  'the same key with another %s is another key',
  async (part) => {
    const { once } = at(0);
    await once(scope, (commit) => commit([], OUTCOME));
    const other = await once({ ...scope, [part]: 'other' }, (commit) => commit([], { status: 202, ids: {} }));
    expect(other.status).toBe(202);
  },
);

test('a key is free again after 24 hours, even while its row is still there', async () => {
  await at(0).once(scope, (commit) => commit([], OUTCOME));
  const day = 86_400_000;
  const before = await at(day - 1).once(scope, (commit) => commit([], { status: 202, ids: {} }));
  expect(before).toEqual(OUTCOME);
  const after = await at(day).once(scope, (commit) => commit([], { status: 202, ids: {} }));
  expect(after.status).toBe(202);
});
