import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { ApiClient } from '../../local/api-client.ts';
import { ideal } from '../../local/aws/behavior.ts';
import { type Bridge, startBridge } from '../../local/bridge.ts';
import { startReceiver } from '../../local/receiver.ts';
import { synthesize } from '../../local/runtime/synthesize.ts';
import { startTopaz } from '../../local/topaz/server.ts';
import { createMeter } from './meter.ts';
import { FEW_PARTS, MORE_PARTS, type Scenario, SEGMENT_PARTS, unitsOf } from './solve.ts';
import { combined, type Units, type Usage } from './usage.ts';

/** How much a run did, in all its scenarios. */
export type Run = {
  readonly seconds: number;
  readonly requests: number;
  readonly polls: number;
  readonly events: number;
  readonly deliveries: number;
  readonly videos: number;
  /** Calls of Secrets Manager, which depend on time and not on the work. */
  readonly secretReads: number;
};

type Job = {
  statuses: [string, number][];
  progress?: [number, number][];
  bytes: number;
  bytesPerSecond: number;
};

const MIB = 1024 ** 2;
/** Workers of so much memory cut a video into parts of 5 MiB instead of 32: as many calls move fewer bytes. */
const COPY_MEMORY_MB = 416;
const PART_BYTES = 5 * MIB;
/** Between two registrations, so that no worker is given two messages at once. */
const SPACING_MS = 350;
const TICKS = 3;
const PATIENCE_MS = 60_000;

/** Stored a second after the job is complete, so that the last two events are fanned out one by one. */
const SMALL = { bytes: MIB, bytesPerSecond: MIB };
/** It is polled once: it is complete when it is registered. */
const COMPLETE: Job = { statuses: [['complete', 0]], ...SMALL };
/** It has one more event, and few polls. */
const SHORT: Job = {
  statuses: [
    ['postprocessing', 0],
    ['complete', 3],
  ],
  progress: [[0, 50]],
  ...SMALL,
};
/** It has the same events, and more polls, each of which finds progress. */
const LONG: Job = {
  statuses: [
    ['postprocessing', 0],
    ['complete', 9],
  ],
  progress: Array.from({ length: 50 }, (_, n): [number, number] => [n / 2, 50 + n / 2]),
  ...SMALL,
};
/** Every part takes a while (s); the worker fetches three at a time. */
const inParts = (parts: number, seconds = 0.25): Job => ({
  statuses: [['complete', 0]],
  bytes: parts * PART_BYTES,
  bytesPerSecond: Math.round(PART_BYTES / seconds),
});

/** Of each scenario. Workers remember rows for seconds, so what a poll reads depends on it. */
const REQUESTS = 2;

/**
 * Runs the bridge's deployed template on this machine, plays scenarios that differ by one kind of work each, and
 * takes from what two of them consumed what that work does.
 */
export async function countUnits(): Promise<{ units: Units; run: Run }> {
  const began = Date.now();
  const topazKey = randomUUID();
  const topaz = await startTopaz({ apiKey: topazKey });
  const stored = new Map<string, number>();
  const delivered = { callback: 0, endpoint: 0 };
  const receiver = await startReceiver({
    secrets: () => [],
    onWebhook: ({ path, body }) => {
      const { type, data } = body as { type: string; data: { requestId: string } };
      delivered[path === '/endpoint' ? 'endpoint' : 'callback']++;
      if (type === 'video.stored') stored.set(data.requestId, (stored.get(data.requestId) ?? 0) + 1);
    },
  });
  const meter = createMeter();
  const bridge = await startBridge({
    templateDir: await synthesize(),
    tickSeconds: 0,
    env: { TOPAZ_BASE_URL: topaz.url, ALLOW_LOOPBACK: 'true' },
    secrets: { TOPAZ_API_KEY_SECRET_ARN: topazKey },
    memoryMb: { copy: COPY_MEMORY_MB },
    aws: ideal,
    observer: meter.observer,
    log: meter.log,
  });
  const api = new ApiClient(bridge.apiUrl, bridge.apiKey);
  const all: Scenario[] = [];

  /** Registers requests one after another and waits until each receiver knows of all their videos. */
  async function play(count: number, job: Job, receivers = 1): Promise<Scenario> {
    const before = delivered.callback;
    const ids = Array.from({ length: count }, () => randomUUID());
    for (const requestId of ids) {
      await pause(SPACING_MS);
      await setJob(topaz.url, requestId, job);
      await api.post('/v1/requests', { requestId, callbackUrl: `${receiver.url}/callback` });
    }
    const deadline = Date.now() + PATIENCE_MS;
    while (!ids.every((id) => stored.get(id) === receivers)) {
      if (Date.now() > deadline) throw new Error('The videos of a scenario were not stored in time.');
      await pause(50);
    }
    await meter.quiet();
    const scenario = {
      ...meter.read(bridge.counts()),
      requests: count,
      polls: await pollsOf(topaz.url, ids),
      events: delivered.callback - before,
    };
    all.push(scenario);
    return scenario;
  }

  try {
    // What is written once for all, such as the secrets that sign, is not counted.
    await play(1, COMPLETE);
    const once = await play(REQUESTS, COMPLETE);
    const short = await play(REQUESTS, SHORT);
    const long = await play(REQUESTS, LONG);
    const parts = await play(1, inParts(FEW_PARTS));
    const segment = await play(1, inParts(SEGMENT_PARTS));
    const segments = await play(1, inParts(MORE_PARTS));
    const slow = await play(1, inParts(FEW_PARTS, 6.5));
    await api.post('/v1/endpoints', { url: `${receiver.url}/endpoint`, events: ['video.*'] });
    await play(1, COMPLETE, 2);
    const twice = await play(REQUESTS, COMPLETE, 2);
    const ticks = await tick(bridge);

    const total = (of: (scenario: Scenario) => number) => all.reduce((sum, each) => sum + of(each), 0);
    return {
      units: unitsOf({ once, short, long, parts, segment, segments, slow, twice }, ticks),
      run: {
        seconds: Math.round((Date.now() - began) / 1000),
        requests: total((scenario) => scenario.requests),
        polls: total(({ polls }) => polls),
        events: total(({ events }) => events),
        deliveries: delivered.callback + delivered.endpoint,
        videos: stored.size,
        secretReads: secretReads(bridge),
      },
    };
  } finally {
    await bridge.stop();
    await Promise.all([receiver.close(), topaz.close()]);
  }

  async function tick(bridge: Bridge): Promise<Usage> {
    for (let n = 0; n < TICKS; n++) await bridge.invoke('tick');
    await meter.quiet();
    return combined([1 / TICKS, meter.read(bridge.counts()).work]);
  }
}

async function setJob(topazUrl: string, requestId: string, job: Job): Promise<void> {
  const { statuses, progress = [], bytes, bytesPerSecond } = job;
  const answer = await fetch(`${topazUrl}/_sim/jobs`, {
    method: 'POST',
    body: JSON.stringify({
      requestId,
      trace: { statuses, progress },
      bytes,
      faults: [{ at: 'download', kind: 'drip', bytesPerSecond }],
    }),
  });
  if (!answer.ok) throw new Error(`The simulated job was refused: ${await answer.text()}`);
}

async function pollsOf(topazUrl: string, ids: readonly string[]): Promise<number> {
  const answer = await fetch(`${topazUrl}/_sim/jobs`);
  const { items } = (await answer.json()) as { items: { requestId: string; statusCalls: number }[] };
  return items
    .filter(({ requestId }) => ids.includes(requestId))
    .reduce((sum, { statusCalls }) => sum + statusCalls, 0);
}

const secretReads = (bridge: Bridge): number =>
  Object.values(bridge.counts()).reduce(
    (sum, calls) => sum + (calls['secretsmanager:GetSecretValue'] ?? 0),
    0,
  );
