import { parseArgs } from 'node:util';
import { alternatives, bridgeCost, type Cost, type Items, perMonth, sum, type Work } from './cost/model.ts';

const usage = `npm run cost -- --requests-per-day N [options]
  --minutes M      length of a job (default 20)
  --gb G           size of a video (default 1)
  --endpoints E    receivers of every event (default 2)
  --polls P        polls of a job (default 23, what a simulated one takes)
  --json           one JSON document on standard output

What the bridge costs in us-east-1, itemised, without the storage of videos and without free tiers, compared with four
other ways to do the same. The prices are in bench/cost/prices.ts, and the units of work are those of docs/scale.md.`;

const { values } = parseArgs({
  options: {
    'requests-per-day': { type: 'string' },
    minutes: { type: 'string', default: '20' },
    gb: { type: 'string', default: '1' },
    endpoints: { type: 'string', default: '2' },
    polls: { type: 'string', default: '23' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help || values['requests-per-day'] === undefined) {
  console.log(usage);
  if (!values.help) process.exitCode = 2;
} else {
  const work: Work = {
    requestsPerDay: positive('requests-per-day'),
    minutes: positive('minutes'),
    gb: positive('gb'),
    endpoints: positive('endpoints'),
    polls: positive('polls'),
  };
  const costs = { 'the bridge': bridgeCost(work), ...alternatives(work) };
  console.log(values.json ? JSON.stringify({ work, ...asJson(costs, work) }) : report(costs, work));
}

function positive(name: 'requests-per-day' | 'minutes' | 'gb' | 'endpoints' | 'polls'): number {
  const value = Number(values[name]);
  if (!(value > 0)) throw new Error(`--${name} must be a positive number, not ${values[name]}.`);
  return value;
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

function report(costs: Record<string, Cost>, work: Work): string {
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
    `The bridge, per 1,000 requests of ${work.minutes} min, ${work.gb} GB and ${work.endpoints} endpoints:`,
    list(bridge.perRequest, 1000),
    '\nIdle, per month:',
    list(bridge.idlePerMonth, 1),
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
