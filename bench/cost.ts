import { parseArgs } from 'node:util';
import { countUnits, type Run } from './cost/count.ts';
import {
  ASSUMED,
  alternatives,
  bridgeCost,
  type Cost,
  type Items,
  idleAfterFreeAmounts,
  LARGEST_GB,
  perMonth,
  sum,
  type Work,
} from './cost/model.ts';
import { type CountRecord, differences, readRecord, writeRecord } from './cost/record.ts';
import { MEASURES, type Units, type Usage } from './cost/usage.ts';

const HELP = `npm run cost -- --requests-per-day N [options]
  --minutes M      length of a job (default 20)
  --gb G           size of a video (default 1)
  --endpoints E    receivers of every event (default 2)
  --polls P        polls of a job (default 23, what a simulated one takes)
  --recorded       takes the units of bench/cost/units.json and runs nothing
  --record         writes there what it counted
  --json           one JSON document on standard output

What the bridge costs in us-east-1, itemised, without the storage of videos, compared with four other ways to do the
same. Free tiers are left out, but for one line about an idle deployment. The command runs the deployed bridge on this
machine for about a minute and counts what registrations, polls, events and copies consume of AWS. The prices are in
bench/cost/prices.ts.`;

const { values } = parseArgs({
  options: {
    'requests-per-day': { type: 'string' },
    minutes: { type: 'string', default: '20' },
    gb: { type: 'string', default: '1' },
    endpoints: { type: 'string', default: '2' },
    polls: { type: 'string', default: '23' },
    recorded: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const NOTABLE = 0.1;

if (values.help || (values['requests-per-day'] === undefined && !values.record)) {
  console.log(HELP);
  if (!values.help) process.exitCode = 2;
} else {
  const work: Work = {
    requestsPerDay: values['requests-per-day'] === undefined ? 1000 : positive('requests-per-day'),
    minutes: positive('minutes'),
    gb: positive('gb'),
    endpoints: positive('endpoints'),
    polls: positive('polls'),
  };
  if (!Number.isInteger(work.endpoints)) refuse(`--endpoints must be a whole number, not ${work.endpoints}.`);
  if (work.gb > LARGEST_GB) {
    refuse(`--gb must be at most ${Math.floor(LARGEST_GB)}, the largest video that the bridge copies.`);
  }
  const count = values.recorded ? readRecord() : await fresh();
  if (values.record) writeRecord(count);
  const changed =
    values.recorded || values.record ? [] : differences(count.units, readRecord().units, NOTABLE);
  const costs = { 'the bridge': bridgeCost(work, count.units), ...alternatives(work) };
  const text = values.json
    ? JSON.stringify({
        work,
        counted: count,
        assumed: ASSUMED,
        changed,
        ...asJson(costs, work),
        idleAfterFreeAmounts: idleAfterFreeAmounts(count.units),
      })
    : [...basis(count, changed), '', report(costs, work, idleAfterFreeAmounts(count.units))].join('\n');
  console.log(text);
}

async function fresh(): Promise<CountRecord> {
  if (!values.json) console.log('Counting, for about a minute …');
  const { units, run } = await countUnits();
  return { date: new Date().toISOString().slice(0, 10), by: 'npm run cost -- --record', run, units };
}

function positive(name: 'requests-per-day' | 'minutes' | 'gb' | 'endpoints' | 'polls'): number {
  const value = Number(values[name]);
  if (value > 0 && Number.isFinite(value)) return value;
  refuse(`--${name} must be a positive number, not ${values[name]}.`);
}

/** Ends the process as a wrong command line does. */
function refuse(message: string): never {
  console.error(message);
  process.exit(2);
}

function asJson(costs: Record<string, Cost>, work: Work) {
  const figures = Object.entries(costs).map(([name, cost]) => [
    name,
    {
      per1000Requests: 1000 * sum(cost.perRequest),
      idlePerMonth: sum(cost.idlePerMonth),
      perMonth: perMonth(cost, work),
      items: cost,
    },
  ]);
  return { dollars: Object.fromEntries(figures) };
}

/** What is counted, and what is assumed. */
function basis({ date, run, units }: CountRecord, changed: string[]): string[] {
  return [
    `Counted on ${date}: ${told(run)}`,
    '',
    table(units),
    '',
    ...(changed.length > 0
      ? [
          'This differs by more than a tenth from bench/cost/units.json:',
          ...changed.map((line) => `  ${line}`),
          '',
        ]
      : []),
    'Assumed, since no local run tells:',
    ...ASSUMED.map((line) => `  ${line}`),
  ];
}

function told({ requests, polls, events, deliveries, videos, seconds, secretReads }: Run): string {
  return (
    `${requests} requests, ${polls} polls, ${events} events, ${deliveries} deliveries and ${videos} copies ` +
    `on the local runtime in ${seconds} s; workers read secrets ${secretReads} times.`
  );
}

function table(units: Units): string {
  const rows = Object.entries(units).map(([work, each]: [string, Usage]) => {
    const cells = MEASURES.map((measure) => String(Math.round(each[measure] * 10) / 10));
    return `| ${work} | ${cells.join(' | ')} |`;
  });
  return [`| each | ${MEASURES.join(' | ')} |`, `|---|${'--:|'.repeat(MEASURES.length)}`, ...rows].join('\n');
}

function report(costs: Record<string, Cost>, work: Work, idleAfterFree: number): string {
  const bridge = costs['the bridge'] as Cost;
  const rows = Object.entries(costs).map(([name, cost]) =>
    [
      `| ${name} `,
      ` ${dollars(1000 * sum(cost.perRequest))} `,
      ` ${dollars(sum(cost.idlePerMonth))} `,
      ` ${dollars(perMonth(cost, work))} |`,
    ].join('|'),
  );
  return [
    `The bridge, per 1,000 requests of ${work.minutes} min, ${work.gb} GB and ${work.endpoints} endpoints (quantities for each request):`,
    list(bridge.perRequest, 1000),
    '\nIdle, per month:',
    list(bridge.idlePerMonth, 1),
    `${dollars(idleAfterFree)} in an account that uses AWS's free amounts for nothing else.`,
    '\nIn addition while jobs run, per month:',
    list(bridge.runningPerMonth ?? {}, 1),
    '',
    `| | per 1,000 requests | idle, a month | a month of ${work.requestsPerDay} requests a day |`,
    '|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function list(items: Items, times: number): string {
  const lines = Object.entries(items).map(
    ([name, each]) => `  ${dollars(times * each).padStart(7)}  ${name}`,
  );
  return lines.join('\n');
}

function dollars(value: number): string {
  return `$${value.toFixed(value < 100 ? 2 : 0)}`;
}
