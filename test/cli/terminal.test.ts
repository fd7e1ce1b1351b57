import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Client, createClient } from '../../client/client.ts';
import { ADMIN_KEY, type LocalBridge, startLocalBridge } from '../support/local-bridge.ts';
import { type CommandLine, openCommandLine } from './command-line.ts';
import { type Network, openNetwork } from './network.ts';

const CTRL_C = '\u0003';
const ENTER = '\r';
const MAX_WAIT = { timeout: 60_000, interval: 50 };
const DONE = { statuses: [['complete', 0]], progress: [[0, 100]] };

let bridge: LocalBridge;
let client: Client;
let cli: CommandLine;
let network: Network;
let receiver: Server;
let got: string[] = [];

beforeAll(async () => {
  bridge = await startLocalBridge();
  client = createClient({ url: bridge.apiUrl, key: ADMIN_KEY });
  network = await openNetwork(bridge.apiUrl);
  cli = await openCommandLine({ url: network.url, key: ADMIN_KEY });
  receiver = createServer((request, response) => {
    got.push(String(request.headers['webhook-id']));
    response.writeHead(204).end();
  });
  await once(receiver.listen(0, '127.0.0.1'), 'listening');
});
beforeEach(() => {
  got = [];
});
afterAll(async () => {
  cli?.close();
  network?.close();
  receiver?.closeAllConnections();
  receiver?.close();
  await bridge?.stop();
});

describe('the keys of listen', { timeout: 60_000 }, () => {
  const forward = () => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hooks`;

  /** The endpoint of the listen that runs. */
  async function endpointOf(text: string): Promise<string> {
    const [id = ''] = /ep_\w+/.exec(text) ?? [];
    return (await client.endpoints.get(id)).id;
  }

  test('show an event whole, send it again, open the console, pause, and end it', async () => {
    // What a desktop opens pages with.
    const bin = join(cli.folder, 'desktop');
    const opened = join(cli.folder, 'opened');
    mkdirSync(bin);
    writeFileSync(join(bin, 'xdg-open'), `#!/bin/sh\necho "$1" > ${opened}\n`);
    chmodSync(join(bin, 'xdg-open'), 0o755);
    const path = `${bin}:${cli.env.PATH}`;

    const terminal = cli.openTerminal(['listen', '--forward', forward()], { PATH: path });
    await terminal.shows(/Keys: r .*q end/);
    await terminal.shows(/Listening as ep_/);
    terminal.type('d');
    await terminal.shows(/No event has come yet/);
    const endpointId = await endpointOf(terminal.text());

    const { eventId: first } = await client.endpoints.test(endpointId);
    await terminal.shows(/endpoint\.test .*204/);
    terminal.type('d');
    await terminal.shows(new RegExp(`\\{"id":"${first}"`));
    terminal.type('r');
    await vi.waitFor(() => expect(got).toEqual([first, first]), MAX_WAIT);

    terminal.type('o');
    await vi.waitFor(() => expect(existsSync(opened) && readFileSync(opened, 'utf8')).toBeTruthy(), MAX_WAIT);
    expect(readFileSync(opened, 'utf8')).toBe(`${network.url}/console/\n`);

    terminal.type('p');
    await terminal.shows(/Paused; p continues/);
    const { eventId: second } = await client.endpoints.test(endpointId);
    // It has arrived here, and is held.
    await vi.waitFor(() => expect(network.carried()).toContain(second), MAX_WAIT);
    terminal.type('r');
    await vi.waitFor(() => expect(got).toEqual([first, first, first]), MAX_WAIT);
    terminal.type('p');
    await terminal.shows(/Continuing/);
    await vi.waitFor(() => expect(got).toEqual([first, first, first, second]), MAX_WAIT);

    terminal.type('q');
    expect(await terminal.outcome).toMatchObject({ code: 130 });
    await expect(client.endpoints.get(endpointId)).rejects.toMatchObject({ status: 404 });
  });

  test('are typed ahead, end it by Ctrl-C, and send nothing again without --forward', async () => {
    const terminal = cli.openTerminal(['listen']);
    await terminal.shows(/Listening as ep_/);
    terminal.type(`rxd${CTRL_C}`);
    const { code, stdout } = await terminal.outcome;
    expect(code).toBe(130);
    expect(stdout).toContain('listen with --forward');
    expect(stdout).toContain('No event has come yet');
    expect((await client.endpoints.list({ kind: 'pull' }).page()).items).toEqual([]);
  });
});

test('mcp says on a terminal that it is for clients, and Ctrl-C ends it', async () => {
  const terminal = cli.openTerminal(['mcp']);
  await terminal.shows(/let the client of a model start it/);
  terminal.type(CTRL_C);
  expect(await terminal.outcome).toMatchObject({ code: 130 });
});

describe('a question', { timeout: 60_000 }, () => {
  test('before a request is erased is answered by yes or no', async () => {
    const requestId = await bridge.setJob({ trace: DONE });
    await client.requests.register({ requestId });
    const no = cli.openTerminal(['purge', requestId]);
    await no.shows(/Erase all data of .*cannot be undone/);
    no.type('n');
    expect(await no.outcome).toMatchObject({
      code: 130,
      stdout: expect.stringContaining('Nothing was changed'),
    });
    expect(await client.requests.get(requestId)).toMatchObject({ requestId });
    const yes = cli.openTerminal(['purge', requestId]);
    await yes.shows(/Erase all data/);
    yes.type('y');
    expect(await yes.outcome).toMatchObject({ code: 0, stdout: expect.stringContaining('is erased.') });
    await expect(client.requests.get(requestId)).rejects.toMatchObject({ status: 404 });
  });

  test('before an endpoint is deleted ends by Ctrl-C, and nothing is deleted', async () => {
    const { id } = await client.endpoints.create({ kind: 'pull' });
    const terminal = cli.openTerminal(['endpoints', 'rm', id]);
    await terminal.shows(/Delete ep_/);
    terminal.type(CTRL_C);
    expect(await terminal.outcome).toMatchObject({ code: 130 });
    expect(await client.endpoints.get(id)).toMatchObject({ id });
    await client.endpoints.delete(id);
  });

  test('of login is answered by address and key, of which the key is not shown', async () => {
    const env = { TOPAZ_BRIDGE_CONFIG: join(cli.folder, 'asked.json'), BRIDGE_URL: '', BRIDGE_API_KEY: '' };
    const terminal = cli.openTerminal(['login', 'asked'], env);
    await terminal.shows(/The bridge's address/);
    terminal.type(`${bridge.apiUrl}${ENTER}`);
    await terminal.shows(/The API key/);
    terminal.type(`${ADMIN_KEY}${ENTER}`);
    const { code, stdout } = await terminal.outcome;
    expect(code).toBe(0);
    expect(stdout).toContain('The profile asked is saved in');
    expect(stdout).not.toContain(ADMIN_KEY);
    expect(JSON.parse(readFileSync(env.TOPAZ_BRIDGE_CONFIG, 'utf8'))).toMatchObject({
      default: 'asked',
      profiles: { asked: { url: bridge.apiUrl, key: ADMIN_KEY } },
    });
  });

  test('of login ends by Ctrl-C, and nothing is saved', async () => {
    const config = join(cli.folder, 'never.json');
    const terminal = cli.openTerminal(['login'], { TOPAZ_BRIDGE_CONFIG: config });
    await terminal.shows(/The bridge's address/);
    terminal.type(CTRL_C);
    expect(await terminal.outcome).toMatchObject({
      code: 130,
      stdout: expect.stringContaining('Nothing was saved'),
    });
    expect(existsSync(config)).toBe(false);
  });
});
