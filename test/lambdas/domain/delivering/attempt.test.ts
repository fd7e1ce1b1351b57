import { expect, test } from 'vitest';
import { isGone, isSuccess } from '../../../../lambdas/domain/delivering/attempt.ts';

test.each<[number | undefined, boolean, boolean]>([
  [undefined, false, false],
  [199, false, false],
  [200, true, false],
  [299, true, false],
  [300, false, false],
  [404, false, false],
  [410, false, true],
  [500, false, false],
])('an answer of %s delivers: %s, and says that the endpoint is gone: %s', (statusCode, delivers, gone) => {
  const attempt = { at: 0, durationMs: 1, ...(statusCode === undefined ? {} : { statusCode }) };
  expect([isSuccess(attempt), isGone(attempt)]).toEqual([delivers, gone]);
});
