import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Client, createClient, type VideoRequest } from '../../client/client.ts';
import { type LocalBridge, READ_KEY, startLocalBridge } from '../support/local-bridge.ts';
import { type CommandLine, openCommandLine, outcomeOf, valuesOf, warns } from './command-line.ts';
import { type Network, openNetwork } from './network.ts';

const POLLING = fileURLToPath(new URL('../../bench/polling.ts', import.meta.url));
const MAX_WAIT = { timeout: 60_000, interval: 250 };
const COMPLETE = {
  statuses: [
    ['processing', 0],
    ['complete', 2],
  ],
  progress: [
    [0, 50],
    [2, 100],
  ],
  estimates: { time: [60, 90] },
};
const FAILED = { statuses: [['failed', 0]], progress: [], message: 'Bad input of Acme' };
/** With those that end they fill a page and a part of the second. */
const STOPPED = 21;
const ALL = STOPPED + 2;
/** Nothing listens there. */
const CALLBACK = 'http://127.0.0.1:9/acme';

type Exported = {
  kind: string;
  request: VideoRequest;
  timeline: { statuses: unknown[]; observations: unknown[] };
  event: { id: string; type: string; data: { requestId: string } };
  delivery: { eventId: string; endpointId: string; requestId: string };
};

let bridge: LocalBridge;
let client: Client;
let cli: CommandLine;
let network: Network;
let complete: string;
let failed: string;

beforeAll(async () => {
  bridge = await startLocalBridge();
  client = createClient({ url: bridge.apiUrl, key: bridge.apiKey });
  network = await openNetwork(bridge.apiUrl);
  cli = await openCommandLine({ url: network.url, key: READ_KEY });
  // Stopped, they do not change while they are exported; upstream does not know them, so that they have not begun.
  const many = Array.from({ length: STOPPED }, () => `00000000${randomUUID().slice(8)}`);
  for await (const _ of client.requests.registerMany(many.map((requestId) => ({ requestId }))));
  for (const id of many) await client.requests.stop(id);
  complete = await bridge.setJob({ trace: COMPLETE });
  failed = await bridge.setJob({ trace: FAILED });
  for (const requestId of [complete, failed])
    await client.requests.register({ requestId, callbackUrl: CALLBACK, metadata: { customer: 'Acme' } });
  await vi.waitFor(async () => {
    for (const id of [complete, failed]) {
      expect(await client.requests.get(id)).toMatchObject({ state: 'done' });
      const { events, deliveries } = await client.requests.timeline(id);
      expect(deliveries).toHaveLength(events.length);
    }
  }, MAX_WAIT);
  // A delivery that is still to be tried again would change.
  const [callback] = (await client.endpoints.list({ kind: 'callback' }).page()).items;
  await client.endpoints.delete(callback!.id);
});
afterAll(async () => {
  cli?.close();
  network?.close();
  await bridge?.stop();
});

const read = (name: string) => readFileSync(join(cli.folder, name), 'utf8');
const write = (name: string, content: string) => writeFileSync(join(cli.folder, name), content);
const exported = async (...args: string[]): Promise<Exported[]> => {
  const { code, stdout, stderr } = await cli.run(['export', ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return valuesOf(stdout) as Exported[];
};
const idsOf = (lines: readonly Exported[]) =>
  lines.flatMap(({ kind, request }) => (kind === 'request' ? [request.requestId] : []));

test('each request is followed by its events and deliveries', async () => {
  const lines = await exported('--request', complete);
  const [first, ...others] = lines;
  expect(first).toMatchObject({
    kind: 'request',
    request: { requestId: complete, metadata: { customer: 'Acme' } },
  });
  const events = others.filter(({ kind }) => kind === 'event').map(({ event }) => event);
  expect(events.map(({ type }) => type)).toEqual(['video.processing', 'video.complete', 'video.stored']);
  const deliveries = others.filter(({ kind }) => kind === 'delivery').map(({ delivery }) => delivery);
  expect(deliveries.map(({ eventId }) => eventId)).toEqual(events.map(({ id }) => id));
});

test('the time of the registration selects', async () => {
  const all = await exported();
  expect(idsOf(all)).toHaveLength(ALL);
  const { registeredAt } = await client.requests.get(complete);
  expect(idsOf(await exported('--since', registeredAt)).sort()).toEqual([complete, failed].sort());
  expect(idsOf(await exported('--until', registeredAt))).toEqual(idsOf(all).slice(-STOPPED));
  expect(await exported('--until', '1d')).toEqual([]);
});

/** Matches the call of the second page. */
const secondPage = (sent: string) => /^GET \/v1\/requests\?\S*cursor=/.test(sent);

test('an export that is killed goes on without doubles or gaps', { timeout: 120_000 }, async () => {
  const args = ['export', '-o', 'all.jsonl', '--since', '1h'];
  const lost = network.lose(secondPage);
  const first = cli.start(args);
  const killed = outcomeOf(first);
  await lost;
  expect(await cli.run(args)).toMatchObject({ code: 4, stderr: expect.stringContaining('Another run') });
  first.kill('SIGKILL');
  await killed;
  network.mend();
  expect(existsSync(join(cli.folder, 'all.jsonl'))).toBe(false);
  // What was written of a page when it died.
  appendFileSync(join(cli.folder, '.all.jsonl.part'), '{"kind":"request","requ');
  // What is registered meanwhile is not of this export.
  const later = randomUUID();
  await client.requests.register({ requestId: later });
  const other = await cli.run(['export', '-o', 'all.jsonl', '--since', '2h']);
  expect(other).toMatchObject({ code: 4, stderr: expect.stringContaining('with other flags') });

  const { code, stdout, stderr } = await cli.run(args);
  expect({ code, stdout }).toEqual({ code: 0, stdout: `all.jsonl: ${ALL} requests.\n` });
  expect(stderr).toBe('Goes on after 20 requests.\n');
  await client.requests.stop(later, { purge: true });
  expect(valuesOf(read('all.jsonl'))).toEqual(await exported());
  expect(existsSync(join(cli.folder, 'all.jsonl.export-journal'))).toBe(false);
  expect(existsSync(join(cli.folder, '.all.jsonl.part'))).toBe(false);
});

test('an export waits for a network that is away', async () => {
  const lost = network.lose(secondPage);
  const waiting = cli.start(['export']);
  const outcome = outcomeOf(waiting);
  await lost;
  const warned = warns(waiting, 'Trying again.');
  network.cut();
  await warned;
  network.mend();
  const { code, stdout } = await outcome;
  expect(code).toBe(0);
  expect(idsOf(valuesOf(stdout) as Exported[])).toHaveLength(ALL);
});

test('anonymized, it keeps what describes the jobs and nothing that names them', async () => {
  const plain = await exported('--request', complete, '--request', failed);
  const lines = await exported('--request', complete, '--request', failed, '--anonymize');
  const text = JSON.stringify(lines);
  const { video, callbacks, message } = plain[0]!.request;
  const names = [
    'Acme',
    'acme',
    'customer',
    '127.0.0.1',
    complete,
    failed,
    video?.bucket,
    callbacks[0]?.endpointId,
  ];
  for (const name of [...names, message, ...plain.flatMap(({ event }) => event?.id ?? [])])
    if (name) expect(text).not.toContain(name);

  const described = (each: readonly Exported[]) =>
    each.map(({ kind, request, timeline, event }) => [
      kind,
      request && [request.state, request.status, request.progress, request.registeredAt, request.estimates],
      timeline,
      event?.type,
    ]);
  const withoutTexts = (values: unknown) =>
    JSON.parse(JSON.stringify(values).replaceAll(/"error":"[^"]*"/g, '""'));
  expect(withoutTexts(described(lines))).toEqual(withoutTexts(described(plain)));
  // The same value has the same pseudonym wherever it stands.
  const [id = '', other] = idsOf(lines);
  expect(id).not.toBe(other);
  const own = lines.filter(({ event, delivery }) =>
    [event?.data.requestId, delivery?.requestId].includes(id),
  );
  const originals = plain.filter(({ event, delivery }) =>
    [event?.data.requestId, delivery?.requestId].includes(complete),
  );
  expect(own).toHaveLength(originals.length);
});

test('bench:polling judges the schedules on the jobs of an export', async () => {
  const outcome = await cli.run(['export', '--anonymize', '-o', 'jobs.jsonl', '--json']);
  expect(valuesOf(outcome.stdout)).toEqual([
    { file: 'jobs.jsonl', requests: ALL, bytes: Buffer.byteLength(read('jobs.jsonl')) },
  ]);
  const file = join(cli.folder, 'jobs.jsonl');
  const judge = (...options: string[]) =>
    promisify(execFile)(process.execPath, [POLLING, '--traces', file, ...options]);
  const found = JSON.parse((await judge('--json')).stdout);
  expect(found).toMatchObject({ jobs: 2, observed: true, unended: STOPPED });
  expect(Object.keys(found.schedules)).toContain('bridge');
  const { stdout } = await judge();
  expect(stdout).toContain('2 observed jobs');
  expect(stdout).not.toContain('simulated');
});

test('on a terminal its progress is drawn in place', async () => {
  const { code, stdout } = await cli.runOnTerminal(['export', '-o', 'terminal.jsonl']);
  expect(code).toBe(0);
  expect(stdout).toContain('20 requests');
  expect(stdout).toContain('\u001b[1A\u001b[J');
  expect(stdout).toContain(`terminal.jsonl: ${ALL} requests.`);
});

test.each([
  [['-o', 'mine.jsonl'], 4, 'exists already'],
  [['-o', 'other.jsonl'], 4, 'not the journal of an export'],
  [['--request', 'x', '--since', '1d'], 2, 'leave --since and --until away'],
  [['--since', '1h', '--until', '2h'], 2, '--until must be after --since'],
  [['--since', 'yesterday'], 2, 'is not a time'],
  [['--request', randomUUID()], 3, 'There is no such request'],
])('%j ends with %i and changes no file', async (flags, code, sentence) => {
  write('mine.jsonl', 'mine');
  write('other.jsonl.export-journal', 'mine');
  const outcome = await cli.run(['export', ...flags]);
  expect(outcome).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(sentence) });
  expect(read('mine.jsonl')).toBe('mine');
  expect(read('other.jsonl.export-journal')).toBe('mine');
});
