import {
  DynamoDBServiceException,
  ProvisionedThroughputExceededException,
  ThrottlingException,
  TransactionCanceledException,
  TransactionConflictException,
  TransactionInProgressException,
} from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { problemOf } from '../../../../lambdas/api/http/refusal.ts';

const details = { message: 'not now', $metadata: {} };
const canceled = (...codes: string[]) =>
  new TransactionCanceledException({ ...details, CancellationReasons: codes.map((Code) => ({ Code })) });

test.each([
  new ThrottlingException(details),
  new ProvisionedThroughputExceededException(details),
  new TransactionConflictException(details),
  new TransactionInProgressException(details),
  canceled('None', 'ThrottlingError'),
  canceled('ProvisionedThroughputExceeded'),
  canceled('TransactionConflict', 'None'),
])('$name of the table asks the caller to come back', (error) => {
  const problem = problemOf(error);
  expect([problem.status, problem.headers]).toEqual([429, { 'retry-after': '1' }]);
});

test.each([
  canceled('ValidationError'),
  new DynamoDBServiceException({ ...details, name: 'ResourceNotFoundException', $fault: 'client' }),
  new Error('a bug'),
])('$name that a repetition cannot end is a failure of the bridge', (error) => {
  expect(problemOf(error).status).toBe(500);
});
