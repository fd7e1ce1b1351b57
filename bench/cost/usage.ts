/** What AWS bills by the piece. */
export const MEASURES = [
  /** DynamoDB's, those of the indexes included. */
  'writeUnits',
  'readUnits',
  'sqsCalls',
  /** Of the class PUT, COPY, POST and LIST. */
  's3Writes',
  /** Of the class GET. */
  's3Reads',
  'logBytes',
  /** Invocations, one for each message that a queue gave out. */
  'pollRuns',
  'copyRuns',
  'dispatchRuns',
  'deliverRuns',
] as const;

export type Measure = (typeof MEASURES)[number];

/** What something consumed, or one piece of work does. */
export type Usage = Readonly<Record<Measure, number>>;

export const nothing = (): Record<Measure, number> =>
  Object.fromEntries(MEASURES.map((measure) => [measure, 0])) as Record<Measure, number>;

/** The sum of usages, each so many times: `[1, whole], [-2, part]` is the whole without two parts. */
export function combined(...terms: readonly (readonly [times: number, usage: Usage])[]): Usage {
  const sum = nothing();
  for (const [times, usage] of terms) for (const measure of MEASURES) sum[measure] += times * usage[measure];
  return sum;
}

/** What one piece of each kind of work consumes. */
export type Units = {
  /** One that names a callback. */
  readonly registration: Usage;
  /** One that finds progress and no new status. */
  readonly poll: Usage;
  /** From the write that adds the event to its delivery to one receiver. */
  readonly event: Usage;
  /** The same event for one more receiver. */
  readonly furtherEndpoint: Usage;
  /** What is done once for a video of several parts. */
  readonly copy: Usage;
  readonly segment: Usage;
  readonly part: Usage;
  /** What a worker writes every five seconds while it copies a segment. */
  readonly beat: Usage;
  /** One that finds nothing overdue. */
  readonly tick: Usage;
};
