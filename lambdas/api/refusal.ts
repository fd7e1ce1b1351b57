import { KeyReused } from '../adapters/idempotency.ts';
import { ConditionFailed } from '../adapters/table.ts';
import { conflict, Problem } from './problem.ts';

const THROTTLED = new Set([
  'ThrottlingException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingError',
]);

/** What the caller is told of an error. Only a {@link Problem} speaks for itself. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof KeyReused) {
    const message = 'This key was used for another request: send a new key, or the same body.';
    return conflict(`Idempotency-Key: ${message}`, [{ path: 'Idempotency-Key', message }]);
  }
  if (error instanceof ConditionFailed)
    return conflict('Others are changing the same thing at this moment: try again.');
  if (error instanceof Error && THROTTLED.has(error.name)) {
    return new Problem(429, 'The bridge has too much to do at this moment: try again.', {
      headers: { 'retry-after': '1' },
    });
  }
  return new Problem(500, 'The bridge failed: try again, and see its logs if that does not help.');
}
