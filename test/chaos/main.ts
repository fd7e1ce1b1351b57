import './without-metrics.ts';
import { parseArgs } from 'node:util';
import { startEmulators } from './bridge.ts';
import { FAULT_KINDS, type FaultKind } from './faults.ts';
import { inWords, report, tryCase } from './try-case.ts';

const USAGE = `Plays the bridge with simulated faults, and checks afterwards that no promise was broken.

npm run chaos -- [--runs N] [--seed S] [--minutes M] [--requests R] [--only "kind,kind"] [--trace]

  --runs N       how many seeds, one after the other (default 10; with --minutes no limit)
  --seed S       the first seed (default: by the time)
  --minutes M    begins no seed after so many minutes
  --requests R   requests in each run (default 6)
  --only KINDS   only these kinds of faults: ${FAULT_KINDS.join(', ')}
  --trace        prints everything that happens
`;

const { values } = parseArgs({
  options: {
    runs: { type: 'string' },
    seed: { type: 'string' },
    minutes: { type: 'string' },
    requests: { type: 'string', default: '6' },
    only: { type: 'string' },
    trace: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}

const minutes = values.minutes === undefined ? undefined : Number(values.minutes);
const runs = Number(values.runs ?? (minutes === undefined ? 10 : Number.POSITIVE_INFINITY));
const first = Number(values.seed ?? Date.now() % 1_000_000_000);
const only = values.only === undefined ? undefined : (values.only.split(',') as FaultKind[]);
const unknown = only?.find((kind) => !FAULT_KINDS.includes(kind));
if (unknown !== undefined) throw new Error(`"${unknown}" is no kind of faults: see --help`);
const end = Date.now() + (minutes ?? Number.POSITIVE_INFINITY) * 60_000;

const emulators = await startEmulators();
const failed: number[] = [];
const totals: Record<string, number> = {};
let played = 0;
try {
  for (let seed = first; played < runs && Date.now() < end; seed++, played++) {
    const onNote = values.trace ? (line: string) => void process.stderr.write(line) : undefined;
    const tried = await tryCase(emulators, { seed, requests: Number(values.requests), only, onNote });
    process.stdout.write(`${report(tried)}\n`);
    for (const [name, count] of Object.entries(tried.run?.counted ?? {}))
      totals[name] = (totals[name] ?? 0) + count;
    if (tried.violations.length > 0) failed.push(seed);
  }
} finally {
  await emulators.stop();
}
process.stdout.write(
  `${played} seeds: ${inWords(totals)}; ${failed.length} failed${failed.length > 0 ? `: ${failed.join(', ')}` : ''}\n`,
);
process.exitCode = failed.length > 0 ? 1 : 0;
