import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Client, createClient } from '../../client/client.ts';
import { type CommandLine, openCommandLine, outcomeOf } from './command-line.ts';
import { type Network, openNetwork } from './network.ts';

const START = fileURLToPath(new URL('../../local/start.ts', import.meta.url));
const MAX_WAIT = { timeout: 60_000, interval: 100 };
const KEY = 'listen-test';

type Ready = { apiUrl: string; topazUrl: string };
type Got = { id: string; body: string; headers: Record<string, string> };

let cli: CommandLine;
let bridge: ChildProcess;
let network: Network;
let receiver: Server;
let got: Got[] = [];
let answer: (count: number) => number = () => 204;

async function startBridge(port: string): Promise<Ready> {
  const data = join(cli.folder, 'data');
  const options = ['--json', '--no-demo', '--tick', '1', '--api-key', KEY, '--data', data, '--port', port];
  bridge = spawn(process.execPath, [START, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: bridge.stdout! });
  for await (const line of lines) return JSON.parse(line) as Ready;
  throw new Error('The bridge did not start.');
}

async function stopBridge(signal: NodeJS.Signals): Promise<void> {
  const ended = new Promise((resolve) => bridge.once('exit', resolve));
  bridge.kill(signal);
  await ended;
}

beforeAll(async () => {
  cli = await openCommandLine();
  receiver = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers = request.headers as Record<string, string>;
    got.push({ id: headers['webhook-id'] ?? '', body: Buffer.concat(chunks).toString(), headers });
    response.writeHead(answer(got.length)).end();
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  cli?.close();
  network?.close();
  if (bridge?.exitCode === null) await stopBridge('SIGTERM');
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
});

const forwardUrl = () => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hooks`;

test('20 events are forwarded once each, though the network is cut and the bridge restarted among them', {
  timeout: 180_000,
}, async () => {
  const { apiUrl } = await startBridge('0');
  const { port } = new URL(apiUrl);
  network = await openNetwork(apiUrl);
  cli.env.BRIDGE_URL = network.url;
  cli.env.BRIDGE_API_KEY = KEY;
  const client: Client = createClient({ url: apiUrl, key: KEY });
  const listening = cli.start(['listen', '--forward', forwardUrl(), '--retry', '--print-secret']);
  const outcome = outcomeOf(listening);
  let said = '';
  listening.stderr?.on('data', (text: string) => {
    said += text;
  });
  await vi.waitFor(() => expect(said).toMatch(/whsec_/), MAX_WAIT);
  const [endpoint] = (await client.endpoints.list({ kind: 'pull' }).page()).items;
  const [secret = ''] = /whsec_\S+/.exec(said) ?? [];
  const sent: string[] = [];
  const send = async (count: number) => {
    for (let n = 0; n < count; n++) sent.push((await client.endpoints.test(endpoint!.id)).eventId);
  };

  // The receiver refuses the third and the fourth call: the same event comes again. At the eighth the network is cut
  // before the answer, so that the event is not acknowledged.
  answer = (count) => {
    if (count === 8) network.cut();
    return count === 3 || count === 4 ? 500 : 204;
  };
  const losses = () => said.split('Trying again').length - 1;
  const forwarded = () => new Set(got.map(({ id }) => id)).size;
  await send(8);
  await vi.waitFor(() => expect(losses()).toBe(1), MAX_WAIT);
  await send(4);
  network.mend();
  await vi.waitFor(() => expect(forwarded()).toBe(12), MAX_WAIT);
  await stopBridge('SIGTERM');
  await vi.waitFor(() => expect(losses()).toBe(2), MAX_WAIT);
  await startBridge(port);
  await send(8);
  await vi.waitFor(() => expect(forwarded()).toBe(20), MAX_WAIT);

  const once = got.filter((_, n) => n !== 2 && n !== 3).map(({ id }) => id);
  expect([...once].sort()).toEqual([...sent].sort());
  for (const { body, headers } of got) expect(new Webhook(secret).verify(body, headers)).toBeDefined();

  listening.kill('SIGINT');
  expect(await outcome).toMatchObject({ code: 130 });
  expect((await client.endpoints.list({ kind: 'pull' }).page()).items).toEqual([]);
});

test('--keep continues where an earlier listen ended', { timeout: 120_000 }, async () => {
  got = [];
  answer = () => 204;
  const client = createClient({ url: cli.env.BRIDGE_URL ?? '', key: KEY });
  const listen = () => cli.start(['listen', '--keep', 'laptop', '--forward', forwardUrl(), '--json']);
  const end = async (listening: ChildProcess) => {
    const outcome = outcomeOf(listening);
    listening.kill('SIGINT');
    return outcome;
  };
  const first = listen();
  const endpoint = await vi.waitFor(async () => {
    const [found] = (await client.endpoints.list({ kind: 'pull' }).page()).items;
    expect(found).toBeDefined();
    return found!;
  }, MAX_WAIT);
  await end(first);
  const { eventId } = await client.endpoints.test(endpoint.id);
  const second = listen();
  await vi.waitFor(() => expect(got.map(({ id }) => id)).toEqual([eventId]), MAX_WAIT);
  await end(second);
  expect((await client.endpoints.list({ kind: 'pull' }).page()).items.map(({ id }) => id)).toEqual([
    endpoint.id,
  ]);
});
