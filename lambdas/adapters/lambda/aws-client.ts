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
 * The settings of every AWS client. By default the SDK waits forever, and a call that hangs would hold its
 * worker until Lambda ends it. Only silence counts: a long answer that keeps coming is awaited.
 */
export const AWS_CLIENT = {
  requestHandler: { connectionTimeout: 3_000, socketTimeout: 10_000 },
  logger: WARNINGS_ONLY,
};

/**
 * The settings of a worker's DynamoDB client. If the write after a webhook fails because of throttling, the webhook is
 * sent twice. So it is tried for about half a minute: docs/decisions/retries-under-throttling.md has the measurement.
 */
export const WORKER_DYNAMODB_CLIENT = { ...AWS_CLIENT, retryMode: 'standard', maxAttempts: 8 };
