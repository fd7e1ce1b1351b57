import { parseArgs } from 'node:util';
import { measureLocalRun } from './local/measure.ts';
import { quantile } from './quantile.ts';

const usage = `npm run bench:local -- [options]
Generated jobs on the local runtime, in real time: how long after a job changed its status its webhook came.
  --jobs N           all registered at once (default 50)
  --longest SECONDS  jobs that take longer are scaled in time to end then (default 300)
  --concurrency N    functions that the account runs at a time (default 1000; a new account: 10)
  --harsh            let AWS have a bad day, as npm start -- --harsh does
  --stop-loops       deploy without recursiveLoop: ALLOW, as Lambda's default is
  --json             one JSON document on standard output`;

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '50' },
    longest: { type: 'string', default: '300' },
    concurrency: { type: 'string' },
    harsh: { type: 'boolean', default: false },
    'stop-loops': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(usage);
else {
  const run = await measureLocalRun({
    jobs: Number(values.jobs),
    longestSeconds: Number(values.longest),
    concurrency: values.concurrency === undefined ? undefined : Number(values.concurrency),
    harsh: values.harsh,
    stopLoops: values['stop-loops'],
  });
  const late = (name: string, seconds: readonly number[]) => ({
    of: name,
    webhooks: seconds.length,
    p50: round(quantile(seconds, 0.5)),
    p95: round(quantile(seconds, 0.95)),
    mean: round(seconds.reduce((sum, each) => sum + each, 0) / seconds.length),
  });
  const { completeLateness, allLateness, ...counts } = run;
  const lateness = [late('complete', completeLateness), late('all statuses', allLateness)];
  if (values.json) console.log(JSON.stringify({ ...counts, lateness }));
  else {
    console.table(lateness, ['of', 'webhooks', 'p50', 'p95', 'mean']);
    console.log('seconds from a change of status to its webhook;', counts);
  }
}

function round(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}
