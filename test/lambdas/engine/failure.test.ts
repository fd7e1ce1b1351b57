import { expect, test } from 'vitest';
import { ConditionFailed } from '../../../lambdas/adapters/dynamodb/condition-failed.ts';
import { Denied, NeedsPerson, outcomeOf } from '../../../lambdas/engine/failure.ts';

const named = (name: string) => Object.assign(new Error(name), { name });

test.each<[string, unknown, claims: number, ReturnType<typeof outcomeOf>]>([
  ['a condition of another row that failed', new ConditionFailed([1], new Map()), 1, 'retry'],
  ['what only a person can mend', new NeedsPerson('no bucket'), 1, 'park'],
  ['a denial', new Denied('no'), 6, 'retry'],
  ['a denial that lasts', new Denied('no'), 7, 'park'],
  ['a denial of S3', named('AccessDenied'), 7, 'park'],
  ['a denial of DynamoDB', named('AccessDeniedException'), 7, 'park'],
  ['a denial of KMS', named('AccessDeniedError'), 7, 'park'],
  ['throttling, however long it lasts', named('ThrottlingException'), 8, 'retry'],
  ['what is no error', 'Denied', 8, 'retry'],
])('work that threw: %s', (_name, error, claims, outcome) => {
  expect(outcomeOf(error, claims)).toBe(outcome);
});

test('failures go by their names in logs and on parked rows', () => {
  expect([new NeedsPerson('').name, new Denied('').name]).toEqual(['NeedsPerson', 'Denied']);
});
