import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { chart } from './polling/chart.ts';
import { frontier } from './polling/frontier.ts';
import { generateTraces, harsh, usual } from './polling/generate.ts';
import { readTraces, type Traces } from './polling/read-traces.ts';
import { type Result, replay } from './polling/replay.ts';
import { schedules } from './polling/schedules.ts';

const usage = `npm run bench:polling -- [options]
  --traces FILE      jobs, one JSON a line, or a file of topaz-bridge export (default: 2,000 generated ones)
  --harsh            generate worse jobs: stalls, no progress, registered late
  --latency SECONDS  what a poll takes until the next one is hinted (default 0; bridge only)
  --json             one JSON document on standard output
  --svg FILE         write polls against lateness as a picture`;

const { values } = parseArgs({
  options: {
    traces: { type: 'string' },
    harsh: { type: 'boolean', default: false },
    latency: { type: 'string', default: '0' },
    json: { type: 'boolean', default: false },
    svg: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(usage);
else {
  const jobs: Traces = values.traces
    ? readTraces(values.traces)
    : { traces: generateTraces(2_000, values.harsh ? harsh : usual), observed: false, unended: 0 };
  const { traces, observed, unended } = jobs;
  const latency = Number(values.latency);
  const results = Object.entries(schedules({ latency })).map(
    ([name, schedule]) => [name, replay(traces, schedule)] as const,
  );
  console.log(
    values.json
      ? JSON.stringify({ jobs: traces.length, observed, unended, schedules: Object.fromEntries(results) })
      : table(jobs, results),
  );
  if (values.svg) writeFileSync(values.svg, chart(frontier(traces)));
}

function table(
  { traces, observed, unended }: Traces,
  results: readonly (readonly [string, Result])[],
): string {
  const heads = [
    'polls',
    'complete p50',
    'p95',
    'mean',
    'polls x mean',
    'failed p95',
    'all p50',
    'p95',
    'unseen',
    'of jobs',
  ];
  const row = (name: string, cells: readonly string[]) =>
    [name.padEnd(22), ...cells.map((cell, n) => cell.padStart(Math.max(7, heads[n]!.length + 2)))].join('');
  return [
    ...(observed
      ? [
          `Jobs of an export, with each change at the time when a poll of the bridge saw it, and not when it happened: lateness`,
          `is measured from there, and what no poll saw is missing. They are as real as the jobs of that bridge. ${unended} that have`,
          'not ended are left out.',
        ]
      : []),
    `${traces.length} ${observed ? 'observed' : 'simulated'} jobs; lateness in seconds; "all" are all observed transitions; "unseen" is the share of transitions`,
    `that no poll saw, "of jobs" the share of jobs that have one`,
    row('schedule', heads),
    ...results.map(([name, result]) => row(name, cells(result))),
  ].join('\n');
}

function cells(result: Result): string[] {
  const { pollsPerJob, completeP50, completeP95, completeMean, failedP95, transitionP50, transitionP95 } =
    result;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const product = pollsPerJob * completeMean;
  const seconds = [completeP50, completeP95, completeMean];
  const rest = [failedP95, transitionP50, transitionP95];
  const fixed = (value: number) => value.toFixed(1);
  return [
    fixed(pollsPerJob),
    ...seconds.map(fixed),
    product.toFixed(0),
    ...rest.map(fixed),
    percent(result.unseenTransitions),
    percent(result.jobsWithUnseen),
  ];
}
