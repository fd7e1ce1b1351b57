import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { ConditionFailed } from '../../adapters/dynamodb/condition-failed.ts';
import { KeyReused } from './idempotency.ts';
import { conflict, Problem } from './problem.ts';

/** Errors of DynamoDB, and its reasons to cancel a transaction, that a repeated call may not meet again. */
const TRANSIENT = new Set([
  'ThrottlingException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingError',
  'ProvisionedThroughputExceeded',
  'TransactionConflict',
  'TransactionConflictException',
  'TransactionInProgressException',
]);

/** What an error is to the caller. Only a {@link Problem} is sent as it is. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof KeyReused) {
    const message = 'This key was used for another request: send a new key, or the same body.';
    return conflict(`Idempotency-Key: ${message}`, [{ path: 'Idempotency-Key', message }]);
  }
  if (error instanceof ConditionFailed) return conflict('Another call is changing the same data: try again.');
  if (isTransient(error)) {
    return new Problem(429, 'The bridge is overloaded: try again.', {
      headers: { 'retry-after': '1' },
    });
  }
  return new Problem(500, 'The bridge failed: try again, and see its logs if that does not help.');
}

function isTransient(error: unknown): boolean {
  if (error instanceof TransactionCanceledException)
    return (error.CancellationReasons ?? []).some(({ Code = '' }) => TRANSIENT.has(Code));
  return error instanceof Error && TRANSIENT.has(error.name);
}
