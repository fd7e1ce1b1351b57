import { parseArgs } from 'node:util';
import type { Floor } from './delivery/floor.ts';
import {
  type Latency,
  measureFloor,
  measureLatency,
  measureThroughput,
  type Throughput,
} from './delivery/measure.ts';
import { startReceivers } from './delivery/receivers.ts';
import { startDeliveryWorld } from './delivery/world.ts';

const usage = `npm run bench:delivery -- [options]
  --json          one JSON document on standard output
  --seconds N     of measured traffic in a round, alone and with bad neighbors (default 60)
  --rounds N      of the two in turn (default 1)`;

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '60' },
    rounds: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});

/** A hanging endpoint is known as such after its first time-out, at 15 s; its first probe hangs as long. */
const WARM_UP_SECONDS = 45;

if (values.help) console.log(usage);
else {
  const receivers = await startReceivers();
  const world = await startDeliveryWorld();
  try {
    const throughput = await measureThroughput(world, receivers, { warmUp: 3_000, events: 1_000 });
    const floor = await measureFloor(world, receivers.floor);
    const latency = await measureLatency(world, receivers, {
      rounds: Number(values.rounds),
      warmUpSeconds: WARM_UP_SECONDS,
      seconds: Number(values.seconds),
    });
    const { alone: latencyMs, withBadNeighbors: withBadNeighbours } = latency;
    const result = { ...throughput, latencyMs, withBadNeighbours, floor };
    console.log(values.json ? JSON.stringify(result) : report(result));
  } finally {
    await world.stop();
    receivers.stop();
  }
}

/** Programs read it, so its names stay as they were first spelled. */
type Result = Throughput & { latencyMs: Latency; withBadNeighbours: Latency; floor: Floor };

function report({ latencyMs, withBadNeighbours, floor, ...throughput }: Result): string {
  const cpu = throughput.cpuMsPerDelivery / throughput.floorCpuMsPerDelivery;
  const lines: [string, string][] = [
    ['deliveries per second', throughput.perSecond.toFixed(0)],
    ['  floor', floor.perSecond.toFixed(0)],
    ['CPU per delivery (deliver stage)', `${throughput.cpuMsPerDelivery.toFixed(2)} ms`],
    ['  floor meanwhile', `${throughput.floorCpuMsPerDelivery.toFixed(2)} ms (${cpu.toFixed(2)} times)`],
    ['  floor alone', `${floor.cpuMsPerDelivery.toFixed(2)} ms`],
    ['AWS calls per delivery (dispatch and deliver)', throughput.awsCallsPerDelivery.toFixed(2)],
    ['  polling of their queues, by Lambda', throughput.pollingCallsPerDelivery.toFixed(2)],
    [
      'commit to POST, healthy alone',
      `p50 ${latencyMs.p50.toFixed(1)} ms, p99 ${latencyMs.p99.toFixed(1)} ms`,
    ],
    [
      '  with three bad neighbors',
      `p50 ${withBadNeighbours.p50.toFixed(1)} ms, p99 ${withBadNeighbours.p99.toFixed(1)} ms ` +
        `(${(withBadNeighbours.p99 / latencyMs.p99).toFixed(2)} times)`,
    ],
  ];
  return lines.map(([name, value]) => `${name.padEnd(48)}${value}`).join('\n');
}
