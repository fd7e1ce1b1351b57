import { ConditionFailed } from '../../adapters/dynamodb/condition-failed.ts';
import { isRefusedForNow } from '../../adapters/dynamodb/refused-for-now.ts';
import { KeyReused } from './idempotency.ts';
import { conflict, Problem } from './problem.ts';

/** What an error is to the caller. Only a {@link Problem} is sent as it is. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof KeyReused) {
    const message = 'This key was used for another request: send a new key, or the same body.';
    return conflict(`Idempotency-Key: ${message}`, [{ path: 'Idempotency-Key', message }]);
  }
  if (error instanceof ConditionFailed) return conflict('Another call is changing the same data: try again.');
  if (isRefusedForNow(error)) {
    return new Problem(429, 'The bridge is overloaded: try again.', {
      headers: { 'retry-after': '1' },
    });
  }
  return new Problem(500, 'The bridge failed: try again, and see its logs if that does not help.');
}
