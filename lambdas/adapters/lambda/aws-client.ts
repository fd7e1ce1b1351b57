/**
 * How every AWS client is set: the SDK itself waits for ever, and a call that hangs would hold its
 * worker until Lambda ends it. Only silence counts, so a long answer that keeps coming is awaited.
 */
export const AWS_CLIENT = { requestHandler: { connectionTimeout: 3_000, socketTimeout: 10_000 } };
