import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';

/** Why DynamoDB refuses a call that it may take later: other transactions are in its way, or it is asked too much. */
type PassingCause = 'conflict' | 'throttled';

/** Reasons to cancel a transaction, and the error of a single write, that the SDK does not retry. */
const NOT_RETRIED = new Map<string, PassingCause>([
  ['TransactionConflictException', 'conflict'],
  ['TransactionConflict', 'conflict'],
  ['ThrottlingError', 'throttled'],
  ['ProvisionedThroughputExceeded', 'throttled'],
]);
/** Errors that the SDK has retried before it throws them. */
const RETRIED = [
  'ThrottlingException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'TransactionInProgressException',
];

/** Why DynamoDB refuses a call for now that the SDK has not retried; undefined for any other error. */
export function causeToRetry(error: unknown): PassingCause | undefined {
  const causes = namesOf(error).map((name) => NOT_RETRIED.get(name));
  return causes.find((cause) => cause === 'throttled') ?? causes.find((cause) => cause !== undefined);
}

/** Whether DynamoDB refuses a call for now: a later one may succeed, however often this one was tried. */
export const isRefusedForNow = (error: unknown): boolean =>
  causeToRetry(error) !== undefined || namesOf(error).some((name) => RETRIED.includes(name));

/** The name of an error; those of its reasons for a canceled transaction. */
function namesOf(error: unknown): string[] {
  if (error instanceof TransactionCanceledException)
    return (error.CancellationReasons ?? []).map(({ Code = '' }) => Code);
  return error instanceof Error ? [error.name] : [];
}
