import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { quantile } from '../quantile.ts';
import type { Floor, Mode } from './floor.ts';
import type { Receivers } from './receivers.ts';
import type { DeliveryWorld } from './world.ts';

export type Latency = { readonly p50: number; readonly p99: number };
export type Throughput = {
  readonly perSecond: number;
  readonly cpuMsPerDelivery: number;
  /** What the least that a delivery can cost has cost meanwhile, in a process beside the stage's. */
  readonly floorCpuMsPerDelivery: number;
  readonly awsCallsPerDelivery: number;
  /** Lambda's polls of the two stages' queues; not in the figure above. */
  readonly pollingCallsPerDelivery: number;
};

const HEALTHY = 4;
const EVENTS_PER_SECOND = 20;
const GIVE_UP_MS = 120_000;

/**
 * A burst of events to four healthy endpoints: as fast as it goes. CPU is compared with that of the floor during the
 * same burst, since a delivery costs more of it while other processes want the same processors.
 */
export async function measureThroughput(
  world: DeliveryWorld,
  receivers: Receivers,
  { warmUp, events }: { warmUp: number; events: number },
): Promise<Throughput> {
  const floor = await startFloor(world, receivers.floor, 'beside');
  const endpoints = await Promise.all(
    Array.from({ length: HEALTHY }, (_, n) => world.endpoint(receivers.healthy(n))),
  );
  await burst(world, receivers, warmUp);
  floor.begin();
  const calls = world.awsCalls();
  const cpu = world.deliverCpuMs();
  const startedAt = performance.now();
  await burst(world, receivers, events);
  const seconds = (performance.now() - startedAt) / 1_000;
  // What is written down after the POST belongs to it.
  await setTimeout(1_000);
  const floorCpuMsPerDelivery = (await floor.end()).cpuMsPerDelivery;
  const deliveries = events * HEALTHY;
  const { own, polling } = world.awsCalls();
  const result = {
    perSecond: deliveries / seconds,
    cpuMsPerDelivery: (world.deliverCpuMs() - cpu) / deliveries,
    floorCpuMsPerDelivery,
    awsCallsPerDelivery: (own - calls.own) / deliveries,
    pollingCallsPerDelivery: (polling - calls.polling) / deliveries,
  };
  for (const remove of endpoints) await remove();
  return result;
}

/** Commits events, a few at a time, and waits until all of them have come to all four. */
async function burst(world: DeliveryWorld, { arrivals }: Receivers, events: number): Promise<void> {
  arrivals.clear();
  let next = 0;
  const writer = async (first: number) => {
    // A writer has requests of its own: the events of one are committed one after another.
    for (let n = first; next++ < events; n += 4) await world.commit(n);
  };
  await Promise.all([0, 1, 2, 3].map(writer));
  await until(() => arrivals.size >= events * HEALTHY);
}

/** Commit-to-POST times to the healthy endpoint (ms), alone and with bad neighbors, in turn. */
export async function measureLatency(
  world: DeliveryWorld,
  receivers: Receivers,
  { rounds, ...traffic }: Traffic & { rounds: number },
): Promise<{ alone: Latency; withBadNeighbors: Latency }> {
  const alone: number[] = [];
  const withBad: number[] = [];
  for (let round = 0; round < rounds; round++) {
    alone.push(...(await latencies(world, receivers, [], traffic)));
    withBad.push(...(await latencies(world, receivers, receivers.bad, traffic)));
  }
  return { alone: summary(alone), withBadNeighbors: summary(withBad) };
}

type Traffic = { readonly warmUpSeconds: number; readonly seconds: number };

/** Open-loop traffic to one healthy endpoint and its neighbors, from the commit of an event to the healthy POST. */
async function latencies(
  world: DeliveryWorld,
  { arrivals, healthy }: Receivers,
  neighbors: readonly string[],
  { warmUpSeconds, seconds }: Traffic,
): Promise<number[]> {
  const endpoints = await Promise.all([healthy(0), ...neighbors].map((url) => world.endpoint(url)));
  arrivals.clear();
  const committed = new Map<string, number>();
  const began = performance.now();
  const total = (warmUpSeconds + seconds) * EVENTS_PER_SECOND;
  const writes: Promise<void>[] = [];
  for (let n = 0; n < total; n++) {
    const at = began + (n * 1_000) / EVENTS_PER_SECOND;
    await setTimeout(Math.max(0, at - performance.now()));
    const measured = n >= warmUpSeconds * EVENTS_PER_SECOND;
    writes.push(
      world.commit(n).then((id) => {
        if (measured) committed.set(`/0 ${id}`, performance.now());
      }),
    );
  }
  await Promise.all(writes);
  await until(() => [...committed.keys()].every((arrival) => arrivals.has(arrival)));
  for (const remove of endpoints) await remove();
  return [...committed].map(([arrival, at]) => Math.max(0, (arrivals.get(arrival) ?? 0) - at));
}

const summary = (values: readonly number[]): Latency => ({
  p50: quantile(values, 0.5),
  p99: quantile(values, 0.99),
});

/** The floor alone, as fast as it goes in as many processes at a time as the deliver stage has. */
export async function measureFloor(world: DeliveryWorld, url: string): Promise<Floor> {
  const floors = await Promise.all(
    Array.from({ length: world.concurrency }, () => startFloor(world, url, 'alone')),
  );
  const results = await Promise.all(floors.map((floor) => floor.end()));
  const sum = (figure: keyof Floor) => results.reduce((total, result) => total + result[figure], 0);
  return { perSecond: sum('perSecond'), cpuMsPerDelivery: sum('cpuMsPerDelivery') / results.length };
}

/** A process of the floor, once it is warm. */
async function startFloor({ bridge }: DeliveryWorld, url: string, mode: Mode) {
  const program = fileURLToPath(new URL('./floor.ts', import.meta.url));
  const floor = spawn(process.execPath, [program, bridge.dynamodbEndpoint, bridge.table, url, mode], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: floor.stdout })[Symbol.asyncIterator]();
  async function line(): Promise<string> {
    const { value, done } = await lines.next();
    if (done) throw new Error('The floor could not be measured: see what it printed.');
    return value;
  }
  await line();
  return {
    begin: () => void floor.stdin.write('begin'),
    end: async () => {
      floor.stdin.end();
      return JSON.parse(await line()) as Floor;
    },
  };
}

async function until(done: () => boolean): Promise<void> {
  for (const end = performance.now() + GIVE_UP_MS; !done(); await setTimeout(5)) {
    if (performance.now() > end) throw new Error(`Not all webhooks came within ${GIVE_UP_MS / 1_000} s.`);
  }
}
