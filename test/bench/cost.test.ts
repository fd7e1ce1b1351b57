import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { countUnits } from '../../bench/cost/count.ts';
import { createMeter } from '../../bench/cost/meter.ts';
import {
  alternatives,
  bridgeCost,
  costOfEach,
  idleAfterFreeAmounts,
  MEMORY_GB,
  perMonth,
  sum,
} from '../../bench/cost/model.ts';
import { PRICES } from '../../bench/cost/prices.ts';
import { differences, readRecord } from '../../bench/cost/record.ts';
import {
  FEW_PARTS,
  MORE_PARTS,
  type Scenario,
  type Scenarios,
  SEGMENT_PARTS,
  unitsOf,
} from '../../bench/cost/solve.ts';
import { combined, MEASURES, nothing, type Usage } from '../../bench/cost/usage.ts';
import { dynamoEngines } from '../../local/aws/emulators.ts';
import type { AwsCall, JsonAnswer } from '../../local/aws/front-door.ts';
import { synthesize } from '../../local/runtime/synthesize.ts';
import { readStack } from '../../local/runtime/template.ts';

const work = { requestsPerDay: 1000, minutes: 20, gb: 1, endpoints: 2, polls: 23 };
const { units } = readRecord();
const cost = bridgeCost(work, units);
/** Whatever the lines of a paragraph end with. */
const scale = readFileSync(new URL('../../docs/scale.md', import.meta.url), 'utf8').replaceAll('\n', ' ');

/** DynamoDB Local counts the index writes of a transaction twice, which DynamoDB does not. */
const isCounted = dynamoEngines()[0]?.name === 'dynoxide' && process.env.BRIDGE_DYNAMODB !== 'DynamoDB Local';

// A worker that a busy machine holds up writes its progress once more.
test.skipIf(!isCounted)(
  'what a run of the bridge consumes is what is recorded: one more write of an event is noticed',
  { retry: 1 },
  async () => {
    const fresh = await countUnits();
    expect(differences(fresh.units, units, 0.04)).toEqual([]);
  },
);

test('a count that differs from the record is named, and one that hardly does is not', () => {
  const more = { ...units, poll: { ...units.poll, writeUnits: units.poll.writeUnits + 1 } };
  expect(differences(more, units, 0.1)).toEqual([expect.stringContaining('poll: 8.0 writeUnits')]);
  const hardly = { ...units, event: { ...units.event, writeUnits: units.event.writeUnits + 1 } };
  expect(differences(hardly, units, 0.1)).toEqual([]);
});

test.each([
  ['poll', 0.7, 0.8],
  ['copy', 1.9, 2.1],
] as const)('fewer reads of a %s than %s are what workers remember; %s are named', (work, few, many) => {
  const less = (reads: number) => ({
    ...units,
    [work]: { ...units[work], readUnits: units[work].readUnits - reads },
  });
  expect(differences(less(few), units, 0.04)).toEqual([]);
  expect(differences(less(many), units, 0.04)).toEqual([expect.stringContaining(`${work}: `)]);
});

test('the units of each kind of work follow from scenarios that differ by it', () => {
  const of = (writeUnits: number): Usage => ({ ...nothing(), writeUnits });
  const [registration, poll, event, further, small, copy, segment, part, beat] = [
    12, 7, 23, 8, 30, 42, 11, 1, 4,
  ];
  const scenario = (requests: number, polls: number, events: number, rest: number): Scenario => ({
    requests,
    polls,
    events,
    api: of(requests * registration),
    work: of(polls * poll + events * event + rest),
  });
  const parts = (number: number, segments: number) =>
    scenario(1, 1, 2, copy + segments * segment + number * part);
  const solved = unitsOf(
    {
      once: scenario(3, 3, 6, 3 * small),
      short: scenario(3, 7, 9, 3 * small),
      long: scenario(3, 20, 9, 3 * small),
      twice: scenario(3, 4, 6, 3 * small + 6 * further),
      parts: parts(FEW_PARTS, 1),
      segment: parts(SEGMENT_PARTS, 1),
      segments: parts(MORE_PARTS, 2),
      slow: scenario(1, 1, 2, copy + segment + FEW_PARTS * part + beat),
    },
    of(0),
  );
  const writeUnits = Object.values(solved).map((usage) => Math.round(usage.writeUnits * 1e6) / 1e6);
  expect(writeUnits).toEqual([registration, poll, event, further, copy, segment, part, beat, 0]);
});

test.each([
  ['none, as the long jobs had no more of them', { once: [1, 2], short: [2, 3], long: [2, 3] }],
  ['one of the long jobs', { once: [1, 2], short: [2, 3], long: [5, 2] }],
  ['one of the short jobs', { once: [1, 2], short: [2, 2], long: [5, 2] }],
])('a run whose polls missed a status tells no units: %s', (_, given) => {
  const names = ['twice', 'parts', 'segment', 'segments', 'slow'];
  const all = { ...Object.fromEntries(names.map((name) => [name, [1, 2]])), ...given };
  const scenarios = Object.fromEntries(
    Object.entries(all).map(([name, [polls, events]]) => [
      name === 'furtherEndpoint' ? 'further endpoint' : name,
      { requests: 1, polls, events, api: nothing(), work: nothing() },
    ]),
  ) as unknown as Scenarios;
  expect(() => unitsOf(scenarios, nothing())).toThrow('too busy');
});

test('a meter counts what DynamoDB says, and refused writes by their rows', async () => {
  const meter = createMeter();
  const ask = (call: Partial<AwsCall>, answer: JsonAnswer) =>
    meter.observer({ caller: 'poll', service: 'dynamodb', operation: '', ...call }, async ({ body }) => {
      expect(body).toMatchObject({ ReturnConsumedCapacity: 'TOTAL' });
      return answer;
    });
  const consumed = (units: number) => ({ status: 200, body: { ConsumedCapacity: { CapacityUnits: units } } });
  await ask({ operation: 'UpdateItem' }, consumed(3));
  await ask({ operation: 'GetItem', caller: 'api' }, consumed(0.5));
  await ask({ operation: 'UpdateItem' }, { status: 400, body: {} });
  await ask(
    { operation: 'TransactWriteItems', body: { TransactItems: [{}, {}] } },
    { status: 400, body: {} },
  );
  const { api, work } = meter.read({});
  expect(work).toMatchObject({ writeUnits: 3 + 1 + 4, readUnits: 0 });
  expect(api).toMatchObject({ writeUnits: 0, readUnits: 0.5 });
  expect(meter.read({}).work).toEqual(nothing());
});

test('a meter counts messages one by one, however many come together, and a send as one call', async () => {
  const meter = createMeter();
  const ask = (operation: string, body: object, answer = {}) =>
    meter.observer({ caller: 'deliver', service: 'sqs', operation, body: { ...body } }, async () => ({
      status: 200,
      body: answer,
    }));
  await ask('SendMessageBatch', { Entries: [{}, {}] });
  await ask('ReceiveMessage', {}, { Messages: [{}, {}] });
  await ask('ReceiveMessage', {});
  await ask('DeleteMessageBatch', { Entries: [{}, {}] });
  expect(meter.read({}).work).toMatchObject({ sqsCalls: 1 + 2 + 2, deliverRuns: 2 });
});

test('a meter counts calls of S3 by their price, and bytes that functions log', () => {
  const meter = createMeter();
  meter.log({ source: 'copy', line: 'stored' });
  meter.log({ source: 'bridge', line: 'of the runtime' });
  const copy = { 's3:UploadPart': 3, 's3:HeadObject': 1, 's3:DeleteObject': 1, 'dynamodb:GetItem': 5 };
  expect(meter.read({ copy }).work).toMatchObject({ s3Writes: 3, s3Reads: 1, logBytes: 7 });
  expect(meter.read({ copy: { ...copy, 's3:UploadPart': 4 } }).work).toMatchObject({
    s3Writes: 1,
    s3Reads: 0,
  });
});

test('the items of a request add up to what its pieces of work cost', () => {
  const { poll, event, delivery } = costOfEach(units);
  const of = (work: string) =>
    Object.entries(cost.perRequest)
      .filter(([name]) => name.startsWith(work))
      .reduce((total, [, dollars]) => total + dollars, 0);
  expect(of('polls')).toBeCloseTo(work.polls * poll, 12);
  const one = bridgeCost({ ...work, endpoints: 1 }, units).perRequest;
  const events = Object.entries(one).filter(([name]) => name.startsWith('events'));
  expect(sum(Object.fromEntries(events))).toBeCloseTo(8 * (event + delivery), 12);
});

test('the functions have the memory that is deployed', async () => {
  const { Resources } = readStack(await synthesize()).document;
  const deployed = Object.values(Resources).flatMap(({ Type, Properties }) => {
    if (Type !== 'AWS::Lambda::Function') return [];
    const { Description, MemorySize } = Properties as { Description: string; MemorySize: number };
    return [[Description.split(' ').at(-1), MemorySize / 1024]];
  });
  expect(Object.fromEntries(deployed)).toEqual(MEMORY_GB);
});

test('every measure that is counted has its price', () => {
  for (const measure of MEASURES) {
    const dearer = combined([1, units.poll], [1, { ...nothing(), [measure]: 1000 }]);
    expect(costOfEach({ ...units, poll: dearer }).poll, measure).toBeGreaterThan(costOfEach(units).poll);
  }
});

test('the table of the README has the figures of the model', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const dollars = (value: number) => `$${value.toFixed(value < 100 ? 2 : 0)}`;
  for (const [name, each] of Object.entries({ 'the bridge': cost, ...alternatives(work) })) {
    const figures = [1000 * sum(each.perRequest), sum(each.idlePerMonth), perMonth(each, work)];
    expect(readme).toContain(`| ${[name, ...figures.map(dollars)].join(' | ')} |`);
  }
});

test('docs/scale.md has the counted units and their dollars', () => {
  const { poll, event, delivery, gbCopied } = costOfEach(units);
  expect(scale).toContain(`| **sum** | **$${(poll * 1e6).toFixed(2)}** |`);
  const counted = Object.entries(units).map(([name, { writeUnits, readUnits, sqsCalls, s3Writes }]) =>
    [
      name === 'furtherEndpoint' ? 'further endpoint' : name,
      ...[writeUnits, readUnits, sqsCalls, s3Writes].map((value) => String(Math.round(value * 10) / 10)),
    ].join(' | '),
  );
  for (const row of counted) expect(scale).toContain(`| ${row} |`);
  expect(scale).toContain(`$${((event + delivery) * 8000).toFixed(2)} for the first receiver`);
  expect(scale).toContain(`$${gbCopied.toFixed(5)} a GB`);
});

test('what AWS gives free is taken from the idle cost once, and never more than was used', () => {
  const { secret, alarmMetric, sqsCall, readUnit, logGb } = PRICES;
  const free = idleAfterFreeAmounts(units);
  const minutes = 730 * 60;
  const sqs = (5 * 15 * minutes - 1e6) * sqsCall;
  const reads = minutes * units.tick.readUnits * readUnit;
  expect(free).toBeCloseTo(2 * secret + (11 - 10) * alarmMetric + sqs + reads, 9);
  // Logs beyond the free 5 GB a month are paid.
  const talkative = { ...units, tick: { ...units.tick, logBytes: 1e6 } };
  expect(idleAfterFreeAmounts(talkative)).toBeCloseTo(free + ((minutes * 1e6) / 1e9 - 5) * logGb, 6);
  for (const page of ['README.md', 'docs/scale.md', 'docs/deploying.md']) {
    expect(readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8'), page).toContain(
      `$${free.toFixed(2)}`,
    );
  }
});

test('a month is its idle cost, what jobs cost while any runs, and what its requests cost', () => {
  const none = perMonth(cost, { ...work, requestsPerDay: 0 });
  expect(none).toBe(sum(cost.idlePerMonth));
  const month = perMonth(cost, work);
  const running = sum(cost.runningPerMonth!);
  expect(month - none - running).toBeCloseTo((365_000 / 12) * sum(cost.perRequest), 6);
  const hourADay = perMonth(cost, { ...work, requestsPerDay: 3 });
  expect(hourADay - none).toBeCloseTo(running / 24 + ((365 * 3) / 12) * sum(cost.perRequest), 6);
});

test('four other ways to do the same are beside it, each for the whole work', () => {
  const others = alternatives(work);
  expect(Object.keys(others)).toHaveLength(4);
  for (const other of Object.values(others)) {
    expect(perMonth(other, work)).toBeGreaterThan(0);
    expect(perMonth(other, { ...work, requestsPerDay: 2000 })).toBeGreaterThan(perMonth(other, work));
  }
});
