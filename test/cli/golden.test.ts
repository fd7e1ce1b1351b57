import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { cliPage } from '../../build/cli-page.ts';
import { type Client, createClient } from '../../client/client.ts';
import { ADMIN_KEY, type LocalBridge, startLocalBridge } from '../support/local-bridge.ts';
import { type CommandLine, openCommandLine, valuesOf } from './command-line.ts';
import { openHostileBridge } from './hostile-bridge.ts';

// What people read of a request whose video is stored and whose webhooks have arrived. `vitest -u` writes it anew.

const MAX_WAIT = { timeout: 60_000, interval: 250 };
const DONE = { statuses: [['complete', 0]], progress: [[0, 100]] };
/** What differs from run to run, and what stands for it; of the same length where a table depends on it. */
const CHANGING: readonly [RegExp, string][] = [
  [/\b[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}\b/g, '4f9c1a52-7d3e-4b8a-9c60-2e5d8f1a7b34'],
  [/^[\da-f]{8}(?= {2})/gm, '4f9c1a52'],
  [/\bwhsec_[\w+/=]+/g, 'whsec_…'],
  [/\bin \/\S+\/config\.json/, 'in ~/.config/topaz-bridge/config.json'],
  [/\b(ep|msg|dlv|rpl)_\w+/g, '$1_…'],
  [/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b/g, '2026-11-26 20:15:02'],
  [/\bs3:\/\/\w+/g, 's3://bucket'],
  [/127\.0\.0\.1:\d+/g, '127.0.0.1:8787'],
  [/\b(for|in) \d+ (ms|s)\b/g, '$1 1 s'],
  [/\(\d+ (ms|s)\)/g, '(1 s)'],
  [/polled \d+ times/, 'polled 2 times'],
  [/\bversion [\d.]+, this command line [\d.]+\./, 'version 1.2.3, this command line 1.2.3.'],
  [/\d+ messages? waiting/, '0 messages waiting'],
  [/[ ]+$/gm, ''],
];

let bridge: LocalBridge;
let client: Client;
let cli: CommandLine;
let receiver: Server;
let requestId: string;
let endpointId: string;
let deliveryId: string;
/** An endpoint that gets no events of requests. */
let quietId: string;

beforeAll(async () => {
  bridge = await startLocalBridge();
  client = createClient({ url: bridge.apiUrl, key: ADMIN_KEY });
  cli = await openCommandLine({ url: bridge.apiUrl, key: ADMIN_KEY });
  receiver = createServer((_request, response) => response.writeHead(204).end());
  await once(receiver.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hooks`;
  const endpoint = await client.endpoints.create({ url, events: ['video.*'], description: 'The shop' });
  endpointId = endpoint.id;
  quietId = (await addQuiet()).id;
  requestId = await bridge.setJob({ trace: DONE });
  writeFileSync(join(cli.folder, 'jobs.csv'), `requestId\n${requestId}\n`);
  await client.requests.register({ requestId, metadata: { order: '42' } });
  deliveryId = await vi.waitFor(async () => {
    const { items } = await client.endpoints.deliveries(endpointId).page();
    expect(items.map(({ type, state }) => `${type} ${state}`)).toEqual([
      'video.stored delivered',
      'video.complete delivered',
    ]);
    return items[0]!.id;
  }, MAX_WAIT);
});
afterAll(async () => {
  cli?.close();
  receiver?.closeAllConnections();
  receiver?.close();
  await bridge?.stop();
});

const addQuiet = () => client.endpoints.create({ kind: 'pull', events: ['endpoint.disabled'] });

/** A request that is polled for as long as the test runs. */
async function activeId(): Promise<string> {
  const id = await bridge.setJob({ trace: { statuses: [['processing', 0]], progress: [[0, 1]] } });
  await client.requests.register({ requestId: id });
  return id;
}

/** The files of a webhook that arrived, and how to verify them. */
function verifyArgs(): string[] {
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  const body = '{"id":"msg_1"}';
  const now = new Date();
  const headers = {
    'webhook-id': 'msg_1',
    'webhook-timestamp': Math.floor(now.getTime() / 1_000),
    'webhook-signature': new Webhook(secret).sign('msg_1', now, body),
  };
  writeFileSync(join(cli.folder, 'headers.json'), JSON.stringify(headers));
  writeFileSync(join(cli.folder, 'body.json'), body);
  return ['verify', '--secret', secret, '--headers', 'headers.json', '--body', 'body.json'];
}

/** A delivery that is under way, as one that was just sent again, is not replayed. */
async function replayArgs(): Promise<string[]> {
  await vi.waitFor(async () => {
    const { items } = await client.endpoints.deliveries(endpointId, { type: 'video.*' }).page();
    expect(items.filter(({ state }) => state !== 'delivered')).toEqual([]);
  }, MAX_WAIT);
  return ['replay', endpointId, '--since', '1h', '--state', 'all', '--dry-run'];
}

/** What is left on a terminal of what was drawn in place. */
const leftOn = (shown: string): string => shown.replaceAll('\r\n', '\n').split('\u001b[J').at(-1) ?? '';
/** In a pipe each change of progress is a line before the outcome. */
const withoutProgress = (piped: string): string => piped.replace(/^[\da-f]{8} {2}.*\n(?=REQUEST )/gm, '');

const steady = (text: string): string =>
  CHANGING.reduce((steadied, [pattern, steadyText]) => steadied.replace(pattern, steadyText), text);

type Command = readonly [name: string, args: () => string[] | Promise<string[]>];

const SHOWING: readonly Command[] = [
  ['track', () => ['track', requestId]],
  ['track --wait', () => ['track', requestId, '--wait']],
  ['requests', () => ['requests']],
  ['show', () => ['show', requestId]],
  ['events', () => ['events', requestId]],
  ['download', () => ['download', requestId, '-o', 'video.mp4']],
  ['endpoints list', () => ['endpoints', 'list']],
  ['endpoints show', () => ['endpoints', 'show', endpointId]],
  ['endpoints test', () => ['endpoints', 'test', quietId]],
  ['deliveries', () => ['deliveries', endpointId, '--type', 'video.*']],
  ['delivery', () => ['delivery', deliveryId]],
  ['retry', () => ['retry', deliveryId]],
  ['doctor', () => ['doctor']],
  ['replay', replayArgs],
];

/** Those that change what is shown, or need no bridge. */
const OTHERS: readonly Command[] = [
  ['completion', () => ['completion', 'fish']],
  ['verify', verifyArgs],
  ['login', () => ['login', 'golden', '--url', bridge.apiUrl, '--key', ADMIN_KEY]],
  ['export', () => ['export', '--request', requestId, '-o', 'one.jsonl', '--fresh']],
  ['endpoints secret', () => ['endpoints', 'secret', quietId]],
  ['endpoints rotate', () => ['endpoints', 'rotate', quietId]],
  ['endpoints disable', () => ['endpoints', 'disable', quietId]],
  ['endpoints enable', () => ['endpoints', 'enable', quietId]],
  ['endpoints update', () => ['endpoints', 'update', quietId, '--description', 'Quiet']],
  ['endpoints rm', async () => ['endpoints', 'rm', '--yes', (await addQuiet()).id]],
  ['endpoints add', () => ['endpoints', 'add', '--kind', 'pull']],
  ['poll', async () => ['poll', await activeId()]],
  ['restart', async () => ['restart', await activeId()]],
  ['stop', async () => ['stop', await activeId()]],
  ['purge', async () => ['purge', '--yes', await activeId()]],
  ['import', () => ['import', 'jobs.csv', '--fresh']],
];

test.each([...SHOWING, ...OTHERS])('%s reads as it did, in a pipe and on a terminal', async (name, args) => {
  const { code, stdout, stderr } = await cli.run(await args());
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  await expect(steady(stdout)).toMatchFileSnapshot(join('golden', `${name.replaceAll(/\W+/g, '-')}.txt`));
  const shown = await cli.openTerminal(await args(), { NO_COLOR: '1' }).outcome;
  expect({ code: shown.code, left: steady(leftOn(shown.stdout)) }).toEqual({
    code: 0,
    left: steady(withoutProgress(stdout)),
  });
});

test('every command is among them, but for those that do not end, and the name of several', () => {
  const driven = new Set([...SHOWING, ...OTHERS].map(([name]) => name));
  const names = [...cliPage().matchAll(/^#{2,3} (.*)$/gm)].map(([, name = '']) => name);
  expect(names.filter((name) => !driven.has(name))).toEqual(['endpoints', 'listen', 'mcp']);
});

test('a terminal has colors, and none with NO_COLOR', async () => {
  const colored = await cli.openTerminal(['doctor']).outcome;
  expect(colored.stdout).toContain('\u001b[32mok\u001b[0m');
  const plain = await cli.openTerminal(['doctor'], { NO_COLOR: '1' }).outcome;
  expect(plain.stdout).not.toContain('\u001b');
  const piped = await cli.run(['doctor'], { env: { TERM: 'xterm-256color' } });
  expect(piped.stdout).not.toContain('\u001b');
});

test('--json is the same on a terminal and in a pipe: lines of JSON and nothing else', async () => {
  const piped = await cli.run(['events', requestId, '--json']);
  const shown = await cli.openTerminal(['events', requestId, '--json']).outcome;
  expect(valuesOf(piped.stdout)).toHaveLength(2);
  expect(valuesOf(shown.stdout)).toEqual(valuesOf(piped.stdout));
});

test('a replay draws its progress in place on a terminal, and ends with its outcome', async () => {
  const { code, stdout } = await cli.openTerminal(['replay', endpointId, '--since', '1h', '--state', 'all'])
    .outcome;
  expect(code).toBe(0);
  expect(stdout).toContain('\u001b[1A\u001b[J');
  expect(stdout).toMatch(/rpl_\w+: (\d+) of \1 deliveries have ended\./);
});

test('a download on a terminal leaves one line', async () => {
  const { code, stdout } = await cli.openTerminal(['download', requestId, '-o', 'shown.mp4']).outcome;
  expect(code).toBe(0);
  const [left = ''] = stdout.split('\u001b[J').slice(-1);
  expect(left).toMatch(/^shown\.mp4 {2}.* checksum verified\r\n$/);
});

describe('whatever strangers have written, it does not steer a terminal', () => {
  let hostile: Awaited<ReturnType<typeof openHostileBridge>>;
  beforeAll(async () => {
    hostile = await openHostileBridge(bridge.apiUrl);
  });
  afterAll(() => hostile.close());

  test.each([
    ...SHOWING,
    ['an id that is unknown', () => ['show', '00000000-0000-4000-8000-000000000000']] as const,
    ['show --json', () => ['show', requestId, '--json']] as const,
    ['export', () => ['export']] as const,
  ])('%s', async (_name, args) => {
    const { stdout, stderr } = await cli.run(await args(), { env: { BRIDGE_URL: hostile.url } });
    const lines = `${stdout}${stderr}`.split('\n');
    expect(lines.filter((line) => /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(line))).toEqual([]);
    expect(stdout + stderr).not.toBe('');
  });
});
