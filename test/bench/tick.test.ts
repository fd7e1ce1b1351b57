import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { generateTraces } from '../../bench/polling/generate.ts';
import { crowd } from '../../bench/tick/crowd.ts';
import { measureBacklog, measureBurst, measureWaiting } from '../../bench/tick/measure.ts';
import { startTickWorld, type TickWorld } from '../../bench/tick/world.ts';

const run = promisify(execFile);

async function world() {
  const started = await startTickWorld();
  onTestFinished(() => started.stop());
  return started;
}

test('a tick costs the same however many rows wait', async () => {
  const ticks = await measureWaiting(await world(), [100, 1_200], 50);
  expect(Object.keys(ticks)).toEqual(['100', '1200']);
  // A look at each lane and at the queue of one, and five times ten messages.
  for (const { awsCalls } of Object.values(ticks)) expect(awsCalls).toBe(5 + 1 + 5);
  expect(ticks[1_200]?.readUnits).toBe(ticks[100]?.readUnits);
  expect(ticks[100]?.readUnits).toBeGreaterThan(0);
});

test('a tick that has more to hint reads more', async () => {
  const few = await measureWaiting(await world(), [100], 50);
  const many = await measureWaiting(await world(), [100], 500);
  expect(many[100]?.readUnits).toBeGreaterThan(few[100]?.readUnits ?? Number.NaN);
});

test('workers that are behind by ten minutes are told of hardly any row twice', async () => {
  const hintsPerDueRow = await measureBacklog(await world(), 300, 60);
  expect(hintsPerDueRow).toBeGreaterThanOrEqual(1);
  expect(hintsPerDueRow).toBeLessThanOrEqual(1.1);
});

test('after a purge all overdue rows are hinted by packed messages within two ticks', async () => {
  const { rows, messages, ticks, readUnits } = await measureBurst(await world(), 3_000);
  expect(ticks).toBeLessThanOrEqual(2);
  expect(rows / messages).toBeGreaterThan(1.5);
  expect(readUnits).toBeGreaterThan(0);
});

test('a burst of more rows than a tick names is measured as far as the ticks go without workers', async () => {
  const due = Array.from({ length: 30 }, (_, n) => ({ pk: `ROW#${n}`, sk: 'ROW', dueAt: n }));
  const hinted = [[], due.slice(0, 20).map(({ pk }) => pk), [], []];
  const reading = { messages: 2, awsCalls: 3, readUnits: 1 };
  const stub = {
    now: () => 0,
    advance: () => {},
    seed: async () => due,
    sweep: async () => {},
    read: () => ({ ...reading, hintedRows: hinted.shift() ?? [] }),
  };
  expect(await measureBurst(stub as unknown as TickWorld, 30)).toMatchObject({ rows: 20, ticks: 2 });
});

test('a crowd of three times what the cap carries learns of its ends sooner when late polls cost more', () => {
  const traces = generateTraces(200);
  const options = { cap: 2, arrivals: 0.27, hours: 1 };
  const [scarce, usual] = [
    crowd(traces, { ...options, scarce: true }),
    crowd(traces, { ...options, scarce: false }),
  ];
  expect(scarce.pollLateness).toBeLessThan(usual.pollLateness / 2);
  expect(scarce.completeP50).toBeLessThan(usual.completeP50);
  expect(scarce.completeMean).toBeLessThan(usual.completeMean);
  for (const { pollsPerSecond } of [scarce, usual]) expect(pollsPerSecond).toBeLessThanOrEqual(2);
});

test('a crowd that the cap carries is polled in time, at the usual price', () => {
  const options = { cap: 10, arrivals: 0.2, hours: 0.5 };
  const traces = generateTraces(200);
  const relaxed = crowd(traces, { ...options, scarce: true });
  expect(relaxed.pollLateness).toBe(0);
  expect(relaxed).toEqual(crowd(traces, { ...options, scarce: false }));
});

test('bench:tick explains itself', async () => {
  const { stdout } = await run(process.execPath, ['bench/tick.ts', '--help']);
  expect(stdout).toContain('npm run bench:tick');
});
