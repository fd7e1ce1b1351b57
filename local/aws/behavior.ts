/**
 * How AWS behaves where its emulators do not: the shares, times and limits. The defaults are what AWS always does;
 * what would slow a demonstration down is off, and `harsh` turns it on.
 */
export type AwsBehavior = {
  /** Decides all random choices: the same seed makes the same choices in the same order of calls. */
  seed: number;
  /** How far an index, and reads that are not consistent, lag behind writes at most, ms. */
  lagMs: number;
  /** The same for the index of the lists, which people read right after they wrote; `harsh` makes it as long. */
  listLagMs: number;
  /** Share of reads that are not consistent and show rows as they were. */
  staleReads: number;
  /** Share of index reads that find a row twice while its key moves. */
  doubledRows: number;
  /** Write and read units a second of one partition key, of a table or an index. */
  partitionWriteUnits: number;
  partitionReadUnits: number;
  /** Share of writes that are refused as a conflict with a transaction although nothing overlaps. */
  transactionConflicts: number;
  /** Seconds between two looks for expired rows; 0 for none. */
  expirySeconds: number;
  /** Share of messages that are delivered twice; share that others overtake. */
  duplicateMessages: number;
  overtakenMessages: number;
  /** Share of the messages of a batch that SQS does not take, though it takes the batch. */
  failedMessages: number;
  /** By how much the approximate number of messages is off: 0.1 for ten in a hundred. */
  messageCountError: number;
  /** How far the clocks of functions are apart at most, ms. */
  clockSkewMs: number;
  /** Whether the process of a function is stopped between two invocations. */
  freeze: boolean;
  /** Share of invocations before which the process stood still so long that its connections to AWS are gone. */
  longFreezes: number;
  /** Invocations at a time of all functions; beyond it Lambda throttles. */
  accountConcurrency: number;
  /** Within how many ms after the start the policies take effect, those of each function at a random time. */
  iamDelayMs: number;
  /** Share of calls to S3 that it answers with 503 SlowDown. */
  slowDowns: number;
  /** Share of CompleteMultipartUpload that S3 answers with status 200 and an error in the body. */
  completeErrors: number;
  /** Share of those with a condition that conflict with another write of the key: S3 drops their upload. */
  completeConflicts: number;
};

/** What AWS always does. */
export function usualBehavior(): AwsBehavior {
  return {
    seed: Math.floor(Math.random() * 2 ** 31),
    lagMs: 2000,
    listLagMs: 5,
    staleReads: 1 / 10,
    doubledRows: 1 / 4,
    partitionWriteUnits: 1000,
    partitionReadUnits: 3000,
    transactionConflicts: 0,
    expirySeconds: 30,
    duplicateMessages: 0.02,
    overtakenMessages: 0.05,
    failedMessages: 0,
    messageCountError: 0.1,
    clockSkewMs: 1000,
    freeze: true,
    longFreezes: 0,
    accountConcurrency: 1000,
    iamDelayMs: 0,
    slowDowns: 0,
    completeErrors: 0,
    completeConflicts: 0,
  };
}

/** What AWS does on a bad day, or in a new account; late permissions are left out: a demonstration would begin with refusals. */
export const harsh = {
  listLagMs: 2000,
  transactionConflicts: 0.02,
  duplicateMessages: 0.1,
  overtakenMessages: 0.2,
  failedMessages: 0.02,
  longFreezes: 0.05,
  accountConcurrency: 10,
  slowDowns: 0.02,
  completeErrors: 0.2,
  completeConflicts: 0.1,
} satisfies Partial<AwsBehavior>;

/** An AWS without lag, doubled messages or frozen processes, for measurements of the bridge alone. */
export const ideal = {
  lagMs: 0,
  listLagMs: 0,
  staleReads: 0,
  partitionWriteUnits: Number.POSITIVE_INFINITY,
  partitionReadUnits: Number.POSITIVE_INFINITY,
  expirySeconds: 0,
  duplicateMessages: 0,
  overtakenMessages: 0,
  messageCountError: 0,
  clockSkewMs: 0,
  freeze: false,
} satisfies Partial<AwsBehavior>;
