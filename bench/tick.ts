import { parseArgs } from 'node:util';
import { generateTraces } from './polling/generate.ts';
import { readTraces } from './polling/read-traces.ts';
import { replay } from './polling/replay.ts';
import { bridge } from './polling/schedules.ts';
import type { Trace } from './polling/trace.ts';
import { type Crowd, crowd } from './tick/crowd.ts';
import { type Burst, measureBacklog, measureBurst, measureWaiting, type Tick } from './tick/measure.ts';
import { startTickWorld, type TickWorld } from './tick/world.ts';

const usage = `npm run bench:tick -- [options]
  --json          one JSON document on standard output
  --crowd         instead: more requests in flight than the cap of 10 polls per second carries, in virtual time
  --traces FILE   jobs of the crowd, one JSON a line, or an export (default: 2,000 generated ones)`;

const SIZES = [1_000, 10_000, 50_000];
const OVERDUE = 500;
const BACKLOG = { rows: 3_000, perMinute: 600 };
const BURST = 20_000;
const CAP = 10;
/** Shares of the cap that the crowd would use if its polls came in time. */
const LOADS = [0.5, 0.9, 1.5, 3];

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    crowd: { type: 'boolean', default: false },
    traces: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(usage);
else if (values.crowd)
  console.log(crowds(values.traces ? readTraces(values.traces).traces : generateTraces(2_000)));
else {
  const waiting = await inWorld((world) => measureWaiting(world, SIZES, OVERDUE));
  const backlogHintsPerDueRow = await inWorld((world) =>
    measureBacklog(world, BACKLOG.rows, BACKLOG.perMinute),
  );
  const burst = await inWorld((world) => measureBurst(world, BURST));
  if (values.json) {
    const { rows, messages, awsCalls, ms } = burst;
    const document = { waiting, backlogHintsPerDueRow, burst: { rows, messages, awsCalls, ms } };
    console.log(JSON.stringify(document));
  } else console.log(report(waiting, backlogHintsPerDueRow, burst));
}

/** Measures in a table and queues of its own. */
async function inWorld<T>(measure: (world: TickWorld) => Promise<T>): Promise<T> {
  const world = await startTickWorld();
  try {
    return await measure(world);
  } finally {
    await world.stop();
  }
}

function crowds(traces: readonly Trace[]): string {
  const { pollsPerJob } = replay(traces, bridge());
  const duration = traces.reduce((sum, { statuses }) => sum + statuses.at(-1)![1], 0) / traces.length;
  const heads = ['in flight', 'polls/s', 'polls/job', 'polls late', 'complete p50', 'p95', 'mean'];
  const cells = (names: readonly string[]) => names.map((name) => name.padStart(13)).join('');
  const row = (name: string, result: Crowd) => {
    const { inFlight, pollsPerSecond, pollLateness, completeP50, completeP95, completeMean } = result;
    const figures = [
      pollsPerSecond,
      result.pollsPerJob,
      pollLateness,
      completeP50,
      completeP95,
      completeMean,
    ];
    return name.padEnd(22) + cells([inFlight.toFixed(0), ...figures.map((figure) => figure.toFixed(1))]);
  };
  return [
    `${CAP} polls per second carry ${((CAP * duration) / pollsPerJob).toFixed(0)} requests in flight: ` +
      `${duration.toFixed(0)} s per job, ${pollsPerJob.toFixed(1)} polls. Lateness in seconds.`,
    ' '.repeat(22) + cells(heads),
    ...LOADS.flatMap((load) => {
      const options = { cap: CAP, arrivals: (load * CAP) / pollsPerJob, hours: 4 };
      return [
        row(`${load} x, polls cost more`, crowd(traces, { ...options, scarce: true })),
        row(`${load} x, as usual`, crowd(traces, { ...options, scarce: false })),
      ];
    }),
  ].join('\n');
}

function report(waiting: Record<string, Tick>, hintsPerDueRow: number, burst: Burst): string {
  const least = waiting[String(SIZES[0])] as Tick;
  const row = (cells: readonly string[]) => cells.map((cell) => cell.padStart(14)).join('');
  const ratio = (value: number, to: number) => `(${(value / to).toFixed(2)})`;
  return [
    `One tick with ${OVERDUE} overdue rows; in brackets the ratio to ${SIZES[0]} waiting rows.`,
    'Read units are those that the local DynamoDB reports (ReturnConsumedCapacity).',
    row(['waiting', 'read units', '', 'AWS calls', '', 'ms', '']),
    ...Object.entries(waiting).map(([size, { readUnits, awsCalls, ms }]) =>
      row([
        size,
        readUnits.toFixed(1),
        ratio(readUnits, least.readUnits),
        String(awsCalls),
        ratio(awsCalls, least.awsCalls),
        ms.toFixed(0),
        ratio(ms, least.ms),
      ]),
    ),
    '',
    `Workers behind by ten minutes: ${hintsPerDueRow.toFixed(3)} hints per due row.`,
    `${burst.rows} overdue rows after a purge: hinted in ${burst.ticks} tick(s) by ${burst.messages} messages of ` +
      `${(burst.rows / burst.messages).toFixed(0)} rows, ${burst.awsCalls} AWS calls, ` +
      `${burst.readUnits.toFixed(0)} read units, ${burst.ms.toFixed(0)} ms.`,
  ].join('\n');
}
