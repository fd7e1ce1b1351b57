/**
 * How every AWS client is set: the SDK itself waits for ever, and a call that hangs would hold its
 * worker until Lambda ends it. Only silence counts, so a long answer that keeps coming is awaited.
 */
export const AWS_CLIENT = { requestHandler: { connectionTimeout: 3_000, socketTimeout: 10_000 } };

/**
 * How a worker's DynamoDB client is set. A throttled write after a webhook has gone out would send it twice when it
 * failed, so it is tried for about half a minute: docs/decisions/retries-under-throttling.md has the measurement.
 */
export const WORKER_DYNAMODB_CLIENT = { ...AWS_CLIENT, retryMode: 'standard', maxAttempts: 8 };
