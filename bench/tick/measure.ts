import type { TickWorld } from './world.ts';

/** What one tick took; `ms` is wall time. */
export type Tick = { readUnits: number; awsCalls: number; ms: number };
export type Burst = {
  rows: number;
  messages: number;
  awsCalls: number;
  ms: number;
  readUnits: number;
  /** Ticks until every row was hinted, or one hinted none. */
  ticks: number;
};

const MINUTE_MS = 60_000;
const ROUNDS = 5;

/**
 * One tick at each number of waiting rows, with as many overdue rows each time; the median of five.
 * Waiting rows are due within the next day, and accumulate from one size to the next.
 */
export async function measureWaiting(
  world: TickWorld,
  sizes: readonly number[],
  overdue: number,
): Promise<Record<string, Tick>> {
  await world.seed(overdue, world.now() - MINUTE_MS, 1);
  // The first ticks of a process are slow, however many rows wait.
  for (let round = 0; round < ROUNDS; round++) {
    await tick(world);
    await world.purge();
  }
  const ticks: Record<string, Tick> = {};
  let waiting = 0;
  for (const size of sizes) {
    await world.seed(size - waiting, world.now() + MINUTE_MS, 1_000);
    waiting = size;
    const rounds: Tick[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await world.purge();
      rounds.push(await tick(world));
    }
    rounds.sort((a, b) => a.ms - b.ms);
    ticks[size] = rounds[Math.floor(ROUNDS / 2)] as Tick;
  }
  return ticks;
}

/**
 * Hints per due row when workers are behind by ten minutes: rows become due at `perMinute` while no
 * worker runs, and their writers hint them; after ten ticks the workers come back, and finish as many a minute
 * until nothing is left.
 */
export async function measureBacklog(world: TickWorld, rows: number, perMinute: number): Promise<number> {
  const due = await world.seed(rows, world.now(), MINUTE_MS / perMinute);
  world.read();
  let hinted = 0;
  let done = 0;
  for (let minute = 1; done < rows; minute++) {
    world.advance(MINUTE_MS);
    await world.hint(due.slice((minute - 1) * perMinute, minute * perMinute));
    if (minute > 10) done += await world.work(perMinute);
    await world.sweep();
    hinted += world.read().hintedRows.length;
  }
  return hinted / rows;
}

/**
 * How rows that are all overdue, without a message left, are hinted: as many as the ticks name before
 * they stop, because no worker runs.
 */
export async function measureBurst(world: TickWorld, rows: number): Promise<Burst> {
  const due = await world.seed(rows, world.now() - MINUTE_MS, 1);
  world.advance(rows);
  const left = new Set(due.map(({ pk }) => pk));
  const burst: Burst = { rows, messages: 0, awsCalls: 0, ms: 0, readUnits: 0, ticks: 0 };
  while (left.size > 0) {
    world.read();
    const started = performance.now();
    await world.sweep();
    burst.ms += performance.now() - started;
    burst.ticks++;
    const { messages, awsCalls, readUnits, hintedRows } = world.read();
    burst.messages += messages;
    burst.awsCalls += awsCalls;
    burst.readUnits += readUnits;
    const before = left.size;
    for (const pk of hintedRows) left.delete(pk);
    if (left.size === before) break;
    world.advance(MINUTE_MS);
  }
  return { ...burst, rows: rows - left.size };
}

async function tick(world: TickWorld): Promise<Tick> {
  world.read();
  const started = performance.now();
  await world.sweep();
  const ms = performance.now() - started;
  const { readUnits, awsCalls } = world.read();
  return { readUnits, awsCalls, ms };
}
