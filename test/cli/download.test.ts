import { once } from 'node:events';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Client, createClient } from '../../client/client.ts';
import { ADMIN_KEY, type LocalBridge, startLocalBridge } from '../support/local-bridge.ts';
import { type CommandLine, openCommandLine, outcomeOf } from './command-line.ts';

const MAX_WAIT = { timeout: 60_000, interval: 250 };
const DONE = { statuses: [['complete', 0]], progress: [[0, 100]] };

let bridge: LocalBridge;
let client: Client;
let cli: CommandLine;
/** In front of the bridge: its videos come from here, and break off after so many bytes. */
let front: Server;
let breaksAfter = Number.POSITIVE_INFINITY;
/** The ranges that were asked for, and the signed URLs. */
let ranges: (string | undefined)[] = [];
const signed: string[] = [];

beforeAll(async () => {
  bridge = await startLocalBridge();
  client = createClient({ url: bridge.apiUrl, key: ADMIN_KEY });
  front = createServer((request, response) => void answer(request, response));
  await once(front.listen(0, '127.0.0.1'), 'listening');
  cli = await openCommandLine({ url: originOf(front), key: ADMIN_KEY });
});
afterAll(async () => {
  cli?.close();
  front?.closeAllConnections();
  front?.close();
  await bridge?.stop();
});

const originOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

async function answer({ url = '', headers }: IncomingMessage, response: ServerResponse): Promise<void> {
  if (url.startsWith('/signed/')) {
    ranges.push(headers.range);
    const video = await fetch(signed[Number(url.slice('/signed/'.length))]!, {
      headers: headers.range ? { range: headers.range } : {},
    });
    const bytes = Buffer.from(await video.arrayBuffer());
    response.writeHead(video.status, Object.fromEntries(video.headers));
    if (bytes.length <= breaksAfter) response.end(bytes);
    else response.write(bytes.subarray(0, breaksAfter));
    return;
  }
  const given = await fetch(`${bridge.apiUrl}${url}`, {
    headers: { authorization: headers.authorization ?? '', accept: 'application/json' },
  });
  const body = (await given.json()) as { url?: string };
  const shown = url.endsWith('/video')
    ? { ...body, url: `${originOf(front)}/signed/${signed.push(body.url ?? '') - 1}` }
    : body;
  response.writeHead(given.status, { 'content-type': 'application/json' }).end(JSON.stringify(shown));
}

/** A request whose video is in the bucket. */
async function storedVideo(): Promise<{ id: string; size: number }> {
  const id = await bridge.setJob({ trace: DONE });
  await client.requests.register({ requestId: id });
  const { size = 0 } = await vi.waitFor(async () => {
    const { video } = await client.requests.get(id);
    expect(video?.state).toBe('stored');
    return video!;
  }, MAX_WAIT);
  return { id, size };
}

async function bytesOf(id: string): Promise<Buffer> {
  const { url } = await client.requests.video(id);
  return Buffer.from(await (await fetch(url)).arrayBuffer());
}

test('a download that is killed in the middle continues there, and has the same bytes', async () => {
  const { id, size } = await storedVideo();
  const file = join(cli.folder, 'video.mp4');
  const part = () =>
    globSync('.video.mp4.*.part', { cwd: cli.folder }).map((name) => join(cli.folder, name))[0];

  breaksAfter = Math.floor(size / 2);
  const killed = cli.start(['download', id, '-o', 'video.mp4']);
  const outcome = outcomeOf(killed);
  await vi.waitFor(() => expect(statSync(part() ?? '').size).toBe(breaksAfter), MAX_WAIT);
  killed.kill('SIGKILL');
  expect((await outcome).code).toBe(null);
  expect(existsSync(file)).toBe(false);

  const half = breaksAfter;
  breaksAfter = Number.POSITIVE_INFINITY;
  ranges = [];
  expect(await cli.run(['download', id, '-o', 'video.mp4'])).toMatchObject({ code: 0, stderr: '' });
  expect(ranges).toEqual([`bytes=${half}-`]);
  expect(readFileSync(file).equals(await bytesOf(id))).toBe(true);
  expect(part()).toBeUndefined();
});

test('a download of a file that another run downloads is refused, and the other one gets its bytes', async () => {
  const { id, size } = await storedVideo();
  const part = () => globSync('.shared.mp4.*.part', { cwd: cli.folder })[0] ?? '';

  breaksAfter = Math.floor(size / 2);
  const first = cli.start(['download', id, '-o', 'shared.mp4']);
  const outcome = outcomeOf(first);
  await vi.waitFor(() => expect(statSync(join(cli.folder, part())).size).toBe(breaksAfter), MAX_WAIT);
  const half = breaksAfter;
  breaksAfter = Number.POSITIVE_INFINITY;
  const second = await cli.run(['download', id, '-o', 'shared.mp4']);
  front.closeAllConnections();

  expect(second).toMatchObject({ code: 4, stderr: expect.stringContaining('Another run') });
  expect((await outcome).code).toBe(0);
  expect(ranges.at(-1)).toBe(`bytes=${half}-`);
  expect(readFileSync(join(cli.folder, 'shared.mp4')).equals(await bytesOf(id))).toBe(true);
});
