import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';

/**
 * The SDK's own logger takes each call's input and answer, copied and censored, and throws them away. One without
 * `info` and `error` spares the copies, which took a tenth of the time of reading a list; the SDK looks whether those
 * two are there, but not for the others.
 */
const WARNINGS_ONLY = { trace() {}, debug() {}, warn: console.warn } as unknown as NonNullable<
  DynamoDBClientConfig['logger']
>;

/**
 * How every AWS client is set: the SDK itself waits for ever, and a call that hangs would hold its
 * worker until Lambda ends it. Only silence counts, so a long answer that keeps coming is awaited.
 */
export const AWS_CLIENT = {
  requestHandler: { connectionTimeout: 3_000, socketTimeout: 10_000 },
  logger: WARNINGS_ONLY,
};

/**
 * How a worker's DynamoDB client is set. A throttled write after a webhook has gone out would send it twice when it
 * failed, so it is tried for about half a minute: docs/decisions/retries-under-throttling.md has the measurement.
 */
export const WORKER_DYNAMODB_CLIENT = { ...AWS_CLIENT, retryMode: 'standard', maxAttempts: 8 };
