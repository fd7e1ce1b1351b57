import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ApiClient } from './api-client.ts';
import { harsh } from './aws/behavior.ts';
import { type Bridge, startBridge } from './bridge.ts';
import { openDataDir, temporaryDataDir } from './data-dir.ts';
import { runDemo, simulationAt } from './demo.ts';
import { Display } from './display.ts';
import type { LogLine } from './log.ts';
import { help, readOptions, type StartOptions } from './options.ts';
import { startReceiver } from './receiver.ts';
import { synthesize } from './runtime/synthesize.ts';
import { startTopaz } from './topaz/server.ts';

const STOP_WITHIN_MS = 5000;
const closers: (() => unknown)[] = [];
const stopping = new AbortController();

try {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options.help) process.stdout.write(help);
  else await start(options);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  await end(1);
}

async function start(options: StartOptions): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void end(0));
  // With --json the one line is all there is on standard output.
  const display = new Display(options.json ? process.stderr : process.stdout);
  if (!options.json) display.note('Synthesizing the stack ...');
  const templateDir = await synthesize();

  const dataDir = options.dataDir ? openDataDir(options.dataDir) : temporaryDataDir();
  closers.push(() => dataDir.release());
  const kept = (file: string) => (dataDir.kept ? join(dataDir.path, file) : undefined);
  const topazKey = options.topazKey ?? randomBytes(16).toString('hex');
  const { topaz: topazPort, receiver: receiverPort } = dataDir.ports();
  const topaz = options.topazUrl
    ? undefined
    : await onPort(topazPort, (port) =>
        startTopaz({ port, apiKey: topazKey, speed: options.speed, stateFile: kept('topaz.json') }),
      );
  if (topaz) closers.push(() => topaz.close());
  const topazUrl = options.topazUrl ?? topaz?.url ?? '';

  let api: ApiClient | undefined;
  const receiver = await onPort(receiverPort, (port) =>
    startReceiver({
      port,
      logFile: kept('received.jsonl'),
      secrets: async () => (api ? signingSecrets(api) : []),
      onWebhook: (webhook) => !options.json && display.webhook(webhook),
    }),
  );
  closers.push(() => receiver.close());
  dataDir.savePorts({
    ...dataDir.ports(),
    receiver: Number(new URL(receiver.url).port),
    ...(topaz && { topaz: Number(new URL(topaz.url).port) }),
  });

  const bridge = await startBridge({
    templateDir,
    dataDir,
    port: options.port,
    tickSeconds: options.tickSeconds,
    ...(options.workers && { maxWorkers: options.workers }),
    aws: { ...(options.harsh && harsh), ...(options.seed !== undefined && { seed: options.seed }) },
    env: { TOPAZ_BASE_URL: topazUrl, ALLOW_LOOPBACK: 'true' },
    secrets: {
      TOPAZ_API_KEY_SECRET_ARN: topazKey,
      ...(options.apiKey && { API_KEYS_SECRET_ARN: apiKeys(options.apiKey) }),
    },
    log: (line) => showProblem(display, line),
  });
  closers.push(() => bridge.stop());
  void bridge.lost.then((message) => {
    display.problem(message);
    return end(1);
  });
  api = new ApiClient(bridge.apiUrl, bridge.apiKey);

  const running = {
    apiUrl: bridge.apiUrl,
    apiKey: bridge.apiKey,
    consoleUrl: `${bridge.apiUrl}/console/`,
    topazUrl,
    receiverUrl: receiver.url,
    bucket: bridge.bucket,
    seed: bridge.seed,
  };
  if (options.json) await printReady(bridge, running, api);
  else display.running(running);
  const simulation = topaz && simulationAt(topaz.url);
  if (options.demo) await runDemo(api, display, running, simulation, stopping.signal);
}

async function printReady(bridge: Bridge, running: object, api: ApiClient): Promise<void> {
  const { dynamodbEndpoint, sqsEndpoint, s3Endpoint } = bridge;
  const [callbackSecret] = await signingSecrets(api);
  const endpoints = { dynamodbEndpoint, sqsEndpoint, s3Endpoint };
  const ready = { ready: true, pid: process.pid, ...running, callbackSecret, ...endpoints };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
}

/** The secrets of per-request callbacks, the current one first. */
async function signingSecrets(api: ApiClient): Promise<string[]> {
  const { secret, previous } = await api.get<{ secret: string; previous?: { secret: string } }>(
    '/v1/callback-secret',
  );
  return previous ? [secret, previous.secret] : [secret];
}

function apiKeys(key: string): string {
  return JSON.stringify({ keys: [{ id: 'admin', key, role: 'admin' }] });
}

/** Starts a server where it was last time, if it can; rows may hold its address. */
async function onPort<T>(saved: number | undefined, start: (port: number) => Promise<T>): Promise<T> {
  try {
    return await start(saved ?? 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return start(0);
  }
}

/** Shows what went wrong; the rest of the logs is in the data folder. */
function showProblem(display: Display, { source, line }: LogLine): void {
  const problem = line.startsWith('{') ? loggedError(line) : line;
  if (problem !== undefined) display.problem(`${source}: ${problem}`);
}

/** The message of a structured log line, with its cause, if the line reports an error. */
function loggedError(line: string): string | undefined {
  let entry: { level?: string; message?: string; error?: { message?: string } };
  try {
    entry = JSON.parse(line) as typeof entry;
  } catch {
    return undefined; // an object that was printed for people
  }
  const isError = entry.level === 'ERROR' || entry.level === 'CRITICAL';
  return isError ? [entry.message, entry.error?.message].filter(Boolean).join(': ') : undefined;
}

/** Ends what was started, last started first, and the process, even when something hangs. */
async function end(code: number): Promise<void> {
  if (stopping.signal.aborted) return;
  stopping.abort();
  setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
  for (const close of closers.reverse()) await close();
  process.exit(code);
}
