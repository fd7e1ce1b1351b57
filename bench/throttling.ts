import { parseArgs } from 'node:util';
import { measureThrottled, type Retries, type Throttled } from './throttling/measure.ts';

const usage = `npm run bench:throttling -- [options]
  --json          one JSON document on standard output
  --rows N        deliveries in the backlog (default 400)
  --workers A,B   workers at a time (default 2,5,20)
  --transactions  the end of a delivery is recorded in a transaction

A backlog of deliveries meets one partition of the index "due" that takes a tenth of DynamoDB's 1,000 units a second,
so 5 workers stand for 50. For each way of retrying: what could not be recorded, and is sent twice.`;

/** A tenth of what DynamoDB gives a partition. */
const CAPACITY = { unitsPerSecond: 100, unitsPerWrite: 2 };
const SEND_MS = 50;
const WAYS: readonly Retries[] = [
  { retryMode: 'standard', maxAttempts: 3 },
  { retryMode: 'standard', maxAttempts: 4 },
  { retryMode: 'standard', maxAttempts: 8 },
  { retryMode: 'standard', maxAttempts: 10 },
  { retryMode: 'adaptive', maxAttempts: 4 },
  { retryMode: 'adaptive', maxAttempts: 8 },
  { retryMode: 'adaptive', maxAttempts: 10 },
];

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rows: { type: 'string', default: '400' },
    workers: { type: 'string', default: '2,5,20' },
    transactions: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(usage);
else {
  const rows = Number(values.rows);
  const results: ({ workers: number } & Retries & Throttled)[] = [];
  for (const workers of values.workers.split(',').map(Number)) {
    for (const way of WAYS) {
      const load = { workers, rows, sendMs: SEND_MS, transactions: values.transactions };
      const throttled = await measureThrottled(way, load, CAPACITY);
      results.push({ workers, ...way, ...throttled });
      if (!values.json) console.error(`${workers} workers, ${way.retryMode} ${way.maxAttempts}: done`);
    }
  }
  console.log(values.json ? JSON.stringify(results) : report(rows, results));
}

function report(rows: number, results: readonly ({ workers: number } & Retries & Throttled)[]): string {
  const line = (cells: readonly (string | number)[]) =>
    cells.map((cell) => String(cell).padStart(11)).join('');
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  return [
    `${rows} due deliveries, a capacity of ${CAPACITY.unitsPerSecond} units a second, ${CAPACITY.unitsPerWrite} a write.`,
    line([
      'workers',
      'mode',
      'attempts',
      's',
      'used',
      'refused',
      'unclaimed',
      'sent twice',
      'p50 ms',
      'p99 ms',
      'batch s',
    ]),
    ...results.map((result) =>
      line([
        result.workers,
        result.retryMode,
        result.maxAttempts,
        result.seconds.toFixed(0),
        percent(result.used),
        percent(result.refused),
        result.unclaimed,
        result.sentTwice,
        result.recordP50.toFixed(0),
        result.recordP99.toFixed(0),
        result.longestBatch.toFixed(0),
      ]),
    ),
  ].join('\n');
}
