import { randomUUID } from 'node:crypto';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ApiClient } from '../../local/api-client.ts';
import { harsh } from '../../local/aws/behavior.ts';
import { startBridge } from '../../local/bridge.ts';
import { startReceiver } from '../../local/receiver.ts';
import { synthesize } from '../../local/runtime/synthesize.ts';
import { startTopaz } from '../../local/topaz/server.ts';
import { generateTraces } from '../polling/generate.ts';
import type { Trace } from '../polling/trace.ts';

type LocalRunOptions = {
  jobs: number;
  /** Jobs that take longer are scaled in time. */
  longestSeconds: number;
  /** Functions at a time of the account; what the local runtime assumes when left out. */
  concurrency?: number | undefined;
  harsh: boolean;
  /** Without `recursiveLoop: ALLOW`. */
  stopLoops: boolean;
};

type LocalRun = {
  /** Jobs scaled in time, among `jobs`. */
  scaled: number;
  jobs: number;
  /** Jobs whose last webhook came. */
  ended: number;
  /** Invocations that Lambda refused: for want of a place, or as a recursive loop. */
  throttled: number;
  stoppedAsLoop: number;
  polls: number;
  seed: number;
  /** Seconds from a change of status to its webhook. */
  completeLateness: number[];
  allLateness: number[];
};

/** How much longer than the longest job the run may take, seconds. */
const PATIENCE_S = 240;
const FINAL = ['complete', 'failed', 'canceled'];

/** Runs generated jobs through the local runtime, all of AWS's modeled behavior on, and times their webhooks. */
export async function measureLocalRun(options: LocalRunOptions): Promise<LocalRun> {
  const { jobs, longestSeconds, concurrency, stopLoops } = options;
  const generated = generateTraces(jobs).map((trace) => ({ ...trace, requestId: randomUUID() }));
  const traces = generated.map((trace) => shortened(trace, longestSeconds));
  const topazKey = randomUUID();
  const topaz = await startTopaz({ apiKey: topazKey });
  const began = new Map<string, number>();
  const arrivals = new Map<string, number>();
  const receiver = await startReceiver({
    secrets: () => [],
    onWebhook: ({ receivedAt, body }) => {
      const { data } = body as { data: { requestId: string; status?: string } };
      const name = `${data.requestId} ${data.status}`;
      if (data.status !== undefined && !arrivals.has(name)) arrivals.set(name, Date.parse(receivedAt));
    },
  });
  const refused = { throttled: 0, stoppedAsLoop: 0 };
  const template = stopLoops ? withoutAllowance(await synthesize()) : await synthesize();
  const bridge = await startBridge({
    templateDir: template,
    env: { TOPAZ_BASE_URL: topaz.url, ALLOW_LOOPBACK: 'true' },
    secrets: { TOPAZ_API_KEY_SECRET_ARN: topazKey },
    aws: {
      ...(options.harsh && harsh),
      ...(concurrency !== undefined && { accountConcurrency: concurrency }),
    },
    log: ({ line }) => {
      if (line.includes('Rate Exceeded')) refused.throttled++;
      if (line.includes('does not allow a recursive loop')) refused.stoppedAsLoop++;
    },
  });
  try {
    const api = new ApiClient(bridge.apiUrl, bridge.apiKey);
    for (const trace of traces) {
      await setUp(topaz.url, trace);
      began.set(trace.requestId, Date.now());
      await register(api, { requestId: trace.requestId, callbackUrl: `${receiver.url}/hooks` });
    }
    const lastOf = ({ requestId, statuses }: Trace) => arrivals.get(`${requestId} ${statuses.at(-1)![0]}`);
    const deadline = Date.now() + (longestSeconds + PATIENCE_S) * 1_000;
    while (Date.now() < deadline && !traces.every(lastOf)) await pause(1_000);

    const late = (statuses: (status: string) => boolean) =>
      traces.flatMap(({ requestId, statuses: all }) =>
        all.flatMap(([status, at]) => {
          const arrived = arrivals.get(`${requestId} ${status}`);
          if (!statuses(status) || arrived === undefined) return [];
          return (arrived - began.get(requestId)!) / 1_000 - at;
        }),
      );
    return {
      jobs,
      scaled: traces.filter((trace, n) => trace.statuses !== generated[n]!.statuses).length,
      ended: traces.filter(lastOf).length,
      ...refused,
      polls: await pollsOf(api, traces),
      seed: bridge.seed,
      completeLateness: late((status) => FINAL.includes(status)),
      allLateness: late(() => true),
    };
  } finally {
    await bridge.stop();
    await Promise.all([receiver.close(), topaz.close()]);
    if (stopLoops) rmSync(template, { recursive: true, force: true });
  }
}

/** A trace that takes `longest` seconds at most: a longer one runs faster as a whole. */
function shortened(trace: Trace, longest: number): Trace {
  const factor = longest / trace.statuses.at(-1)![1];
  if (factor >= 1) return trace;
  const time = trace.estimates?.time?.map((seconds) => Math.round(seconds * factor)) as [number, number];
  return {
    ...trace,
    statuses: trace.statuses.map(([status, at]) => [status, at * factor]),
    progress: trace.progress.map(([at, percent]) => [at * factor, percent]),
    ...(time && { estimates: { time } }),
  };
}

async function setUp(topazUrl: string, { requestId, statuses, progress, estimates }: Trace): Promise<void> {
  const answer = await fetch(`${topazUrl}/_sim/jobs`, {
    method: 'POST',
    body: JSON.stringify({ requestId, trace: { statuses, progress, estimates } }),
  });
  if (!answer.ok) throw new Error(`The simulated job was refused: ${await answer.text()}`);
}

/** Registers as a client should: again, when the API had no free place. */
async function register(api: ApiClient, body: Record<string, unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return void (await api.post('/v1/requests', body));
    } catch (error) {
      if (attempt === 20) throw error;
      await pause(500);
    }
  }
}

async function pollsOf(api: ApiClient, traces: readonly Trace[]): Promise<number> {
  const each = traces.map(({ requestId }) => api.get<{ polls: number }>(`/v1/requests/${requestId}`));
  return (await Promise.all(each)).reduce((sum, { polls }) => sum + polls, 0);
}

/** A copy of a synthesized stack whose functions have Lambda's default for recursive loops. */
function withoutAllowance(folder: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'bench-local-'));
  cpSync(folder, copy, { recursive: true });
  for (const file of globSync(join(copy, '*.template.json'))) {
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replaceAll('"RecursiveLoop": "Allow"', '"RecursiveLoop": "Terminate"'),
    );
  }
  return copy;
}
