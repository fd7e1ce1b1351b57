import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startReceiver } from '../local/receiver.ts';
import { startTopaz } from '../local/topaz/server.ts';
import { quantile } from './quantile.ts';
import { chart, type Sample } from './soak/chart.ts';
import { memoryOf, slopePerHour } from './soak/memory.ts';

const USAGE = `Runs the whole bridge on this machine under a steady load, kills it in the middle, and looks at what grows.

npm run soak -- [--requests N] [--minutes M] [--svg FILE]

  --requests N   requests in all, spread over the first four fifths of the time (default 2000)
  --minutes M    how long (default 30)
  --svg FILE     writes the memory of the functions and the backlog as a chart
`;

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '2000' },
    minutes: { type: 'string', default: '30' },
    svg: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const requests = Number(values.requests);
const lastsMs = Number(values.minutes) * 60_000;
const SAMPLE_MS = 10_000;
const ENDPOINTS = ['a', 'b', 'c'];
const DRAIN_MS = 600_000;
/** Processes that are this young still load code and warm up. */
const WARM_MS = 60_000;
const TOPAZ_KEY = randomUUID();
const API_KEY = randomUUID();
const start = fileURLToPath(new URL('../local/start.ts', import.meta.url));

const dataDir = mkdtempSync(join(tmpdir(), 'soak-'));
const topaz = await startTopaz({ apiKey: TOPAZ_KEY });
const told = new Set<string>();
let doubled = 0;
let stored = 0;
const receiver = await startReceiver({
  secrets: () => [],
  onWebhook: ({ path, headers, body }) => {
    const key = `${path} ${headers['webhook-id']}`;
    if (told.has(key)) doubled++;
    else if ((body as { type: string }).type === 'video.stored') stored++;
    told.add(key);
  },
});
const callMs: number[] = [];
let refused = 0;
let bridge = await startRuntime();

for (const name of ENDPOINTS) {
  await call('POST', '/v1/endpoints', { url: `${receiver.url}/${name}`, events: ['video.*'] });
}

const samples: Sample[] = [];
const begun = Date.now();
let registered = 0;
const ids: string[] = [];
let restartedAt = 0;
let over = false;
const sampling = sample();
const reading = readAgain();

while (registered < requests) {
  const due = begun + (registered / requests) * lastsMs * 0.8;
  if (due > Date.now()) await pause(due - Date.now());
  if (restartedAt === 0 && Date.now() - begun > lastsMs / 2) await restart();
  await register();
}
if (restartedAt === 0) await restart();
const end = Math.max(begun + lastsMs, Date.now());
while (Date.now() < end || (backlog() > 0 && Date.now() < end + DRAIN_MS)) await pause(1_000);
over = true;
await Promise.all([sampling, reading]);
const measured = [...callMs];
const wanted = await allDeliveries();
const lost = wanted.filter((key) => !told.has(key));
report();
bridge.process.kill('SIGINT');
await once(bridge.process, 'exit');
await receiver.close();
await topaz.close();
rmSync(dataDir, { recursive: true, force: true });
process.exitCode = lost.length === 0 ? 0 : 1;

/** Deliveries of `video.stored` that are still to come of what is registered. */
function backlog(): number {
  return registered * ENDPOINTS.length - stored;
}

/** Each event of each request, at each endpoint, as the API lists them. */
async function allDeliveries(): Promise<string[]> {
  const all: string[] = [];
  for (const requestId of ids) {
    const { items } = (await call('GET', `/v1/requests/${requestId}/events?limit=100`)) as {
      items: { id: string }[];
    };
    all.push(...items.flatMap(({ id }) => ENDPOINTS.map((name) => `/${name} ${id}`)));
  }
  return all;
}

/** Starts the local runtime as `npm start` does, with what it kept. */
async function startRuntime() {
  const options = ['--json', '--no-demo', '--port', '0', '--data', dataDir, '--workers', '3'];
  const keys = ['--topaz-url', topaz.url, '--topaz-key', TOPAZ_KEY, '--api-key', API_KEY];
  const child = spawn(process.execPath, [start, ...options, ...keys], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { process: child, apiUrl: (JSON.parse(line) as { apiUrl: string }).apiUrl };
}

/** Kills everything, as a power cut would, and starts it again. */
async function restart(): Promise<void> {
  bridge.process.kill('SIGKILL');
  await once(bridge.process, 'exit');
  bridge = await startRuntime();
  restartedAt = Date.now();
}

/** One call, again until it is taken; only the time of calls that are is counted. */
async function call(method: string, path: string, body?: unknown): Promise<unknown> {
  const headers = {
    authorization: `Bearer ${API_KEY}`,
    'content-type': 'application/json',
    ...(method === 'POST' ? { 'idempotency-key': randomUUID() } : {}),
  };
  for (;;) {
    const from = performance.now();
    const answer = await fetch(bridge.apiUrl + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch(() => undefined);
    const text = await answer?.text();
    if (answer?.ok) {
      callMs.push(performance.now() - from);
      return JSON.parse(text ?? '');
    }
    if (answer && answer.status < 500 && answer.status !== 429) {
      throw new Error(`${method} ${path} is answered with ${answer.status}`);
    }
    refused++;
    await pause(200);
  }
}

async function register(): Promise<void> {
  const requestId = randomUUID();
  const trace = {
    statuses: [
      ['postprocessing', 0],
      ['complete', 2],
    ],
    progress: [[0, 99]],
  };
  const job = { requestId, bytes: 200_000, trace };
  await fetch(`${topaz.url}/_sim/jobs`, { method: 'POST', body: JSON.stringify(job) });
  await call('POST', '/v1/requests', { requestId });
  ids.push(requestId);
  registered++;
}

/** People look at lists all the time. */
async function readAgain(): Promise<void> {
  while (!over) {
    for (const path of ['/v1/requests?limit=20', '/v1/stats']) await call('GET', path);
    await pause(2_000);
  }
}

async function sample(): Promise<void> {
  while (!over) {
    const { pid = 0 } = bridge.process;
    samples.push({ atMs: Date.now() - begun, backlog: backlog(), memory: memoryOf(pid) });
    await pause(SAMPLE_MS);
  }
}

function report(): void {
  const warm = samples.filter(({ atMs }) => begun + atMs > restartedAt + WARM_MS);
  const names = [...new Set(samples.flatMap(({ memory }) => Object.keys(memory)))].sort();
  const perProcess = ({ memory }: Sample, name: string) =>
    (memory[name]?.mib ?? Number.NaN) / (memory[name]?.processes ?? 1);
  const rows = names.map((name) => {
    const of = warm.filter(({ memory }) => memory[name]);
    const mib = of.map((each) => perProcess(each, name));
    const slope = slopePerHour(of.map((each) => [each.atMs, perProcess(each, name)] as const));
    const most = Math.max(...samples.map(({ memory }) => memory[name]?.processes ?? 0));
    return `| ${name} | ${most} | ${quantile(mib, 0.5).toFixed(0)} | ${slope.toFixed(0)} |`;
  });
  const ms = (share: number) => quantile(measured, share).toFixed(0);
  const lines = [
    `${registered} requests in ${((Date.now() - begun) / 60_000).toFixed(1)} minutes, killed and started again after ${((restartedAt - begun) / 60_000).toFixed(1)}.`,
    `Delivered: ${wanted.length - lost.length} of ${wanted.length}; ${doubled} came twice.`,
    `Requests that waited for their video at a time: at most ${Math.max(...samples.map((each) => Math.ceil(each.backlog / ENDPOINTS.length)))}, ${Math.ceil(backlog() / ENDPOINTS.length)} at the end.`,
    `API: ${measured.length} calls, p50 ${ms(0.5)} ms, p99 ${ms(0.99)} ms; ${refused} were repeated.`,
    '',
    '| process | most at a time | MiB each (median) | MiB each, per hour |',
    '|---|--:|--:|--:|',
    ...rows,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  if (values.svg) writeFileSync(values.svg, chart(samples, restartedAt - begun));
}
