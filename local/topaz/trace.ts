import * as z from 'zod';

const seconds = z.number().nonnegative();

/**
 * How a simulated job goes: when it enters each status and reaches each percentage, in seconds from its
 * start. Traces of other tools may carry more fields; they are ignored.
 */
export const traceSchema = z
  .object({
    outcome: z.string().optional(),
    statuses: z.array(z.tuple([z.string().min(1), seconds])).min(1),
    progress: z.array(z.tuple([seconds, z.number()])).default([]),
    estimates: z.object({ time: z.array(z.int()).optional(), cost: z.array(z.int()).optional() }).nullish(),
    nodes: z.int().min(1).max(100).default(1),
    /** The `outputSize` of the answers; the size of the video served when left out. */
    outputBytes: z.number().nonnegative().nullish(),
    message: z.string().optional(),
    errorCode: z.string().optional(),
  })
  .superRefine((trace, context) => {
    const { statuses, progress, outcome } = trace;
    if (!ascending(statuses.map(([, at]) => at)))
      context.addIssue({
        code: 'custom',
        path: ['statuses'],
        message: 'must be in the order of their seconds',
      });
    if (!ascending(progress.map(([at]) => at)))
      context.addIssue({
        code: 'custom',
        path: ['progress'],
        message: 'must be in the order of their seconds',
      });
    if (outcome !== undefined && outcome !== statuses.at(-1)?.[0])
      context.addIssue({ code: 'custom', path: ['outcome'], message: 'must be the last of the statuses' });
  });

export type Trace = z.output<typeof traceSchema>;

/** Where a job stands: its place in `statuses`, and its progress in percent once there is one. */
export type Position = { index: number; status: string; progress?: number };

/** Where a job stands `elapsed` seconds (of the trace) after its start. */
export function positionAt(trace: Trace, elapsed: number): Position {
  const index = Math.max(
    0,
    trace.statuses.findLastIndex(([, at]) => at <= elapsed),
  );
  const status = trace.statuses[index]![0];
  const progress = trace.progress.findLast(([at]) => at <= elapsed)?.[1];
  return progress === undefined ? { index, status } : { index, status, progress };
}

/** For how many seconds the job is in `status`: zero if it never is, or if it ends there. */
export function secondsIn(trace: Trace, status: string): number {
  const index = trace.statuses.findIndex(([name]) => name === status);
  const next = trace.statuses[index + 1];
  return index < 0 || !next ? 0 : next[1] - trace.statuses[index]![1];
}

/**
 * A job of 34 seconds on the way to `complete`. Its statuses change well before the bridge's polls, so that the
 * demonstration shows something new every ten seconds. `initializing` is over at once: after a poll that meets it
 * the bridge would wait for longer than the whole job takes.
 */
export const demoTrace: Trace = traceSchema.parse({
  statuses: [
    ['requested', 0],
    ['accepted', 4],
    ['initializing', 14],
    ['preprocessing', 14.3],
    ['processing', 15],
    ['postprocessing', 31],
    ['complete', 34],
  ],
  progress: [
    [0, 0],
    ...Array.from({ length: 15 }, (_, step) => [16 + step, Math.round(((step + 1) * 100) / 16)]),
    [31, 100],
  ],
  estimates: { cost: [1, 2], time: [30, 40] },
  nodes: 2,
});

function ascending(numbers: number[]): boolean {
  return numbers.every((number, index) => index === 0 || numbers[index - 1]! <= number);
}
