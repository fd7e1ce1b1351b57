import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Client, createClient } from '../../client/client.ts';
import { type LocalBridge, startLocalBridge } from '../support/local-bridge.ts';
import { type CommandLine, openCommandLine, outcomeOf, valuesOf, warns } from './command-line.ts';
import { type Network, openNetwork } from './network.ts';

/** CI imports fewer than the 5,000 of `IMPORT=5000 npm exec -- vitest run test/cli/import.test.ts`. */
const MANY = Number(process.env.IMPORT ?? 300);
const MAX_WAIT = { timeout: 120_000, interval: 20 };

type Line = { line: number; requestId?: string; kind?: string; status?: number; reason?: string };

let bridge: LocalBridge;
let client: Client;
let cli: CommandLine;

beforeAll(async () => {
  bridge = await startLocalBridge();
  client = createClient({ url: bridge.apiUrl, key: bridge.apiKey });
  cli = await openCommandLine({ url: bridge.apiUrl, key: bridge.apiKey });
}, 120_000);
afterAll(async () => {
  cli?.close();
  await bridge?.stop();
});

const write = (name: string, content: string | Buffer) => writeFileSync(join(cli.folder, name), content);
const read = (name: string) => readFileSync(join(cli.folder, name), 'utf8');
const linesOf = (name: string) => valuesOf(read(name)) as Line[];
/** Ids that upstream does not know, so that the test's bridge has no jobs to poll. */
const unknownId = () => `00000000${randomUUID().slice(8)}`;
const ids = (count: number) => Array.from({ length: count }, unknownId);

describe('a CSV file', { timeout: 60_000 }, () => {
  test('of a spreadsheet is imported by the names of its columns, and each wrong line is named', async () => {
    const [plain = '', quoted = '', lines = '', refused = ''] = ids(4);
    write(
      'jobs.csv',
      [
        '\ufeffRequest ID;callback;metadata.order;Title;team',
        `${plain.toUpperCase()};;42;first;red`,
        `${quoted};http://127.0.0.1:9/hook;"a ""b""; c";second;`,
        '',
        `${plain};;42;again;red`,
        `${plain};;43;other;red`,
        'nonsense;;;;',
        `${unknownId()};"never closed;;;`,
        `${lines};;"two`,
        'lines";x;blue',
        `${refused};ftp://example.com;;;`,
        'one;two',
      ].join('\r\n'),
    );
    const { code, stdout, stderr } = await cli.run(['import', 'jobs.csv', '--column', 'team=metadata']);
    expect({ code, stdout }).toEqual({
      code: 4,
      stdout:
        'jobs.csv: 3 registered, 1 repeated, 1 refused, 3 unreadable, 1 with other values than before.\n',
    });
    expect(stderr).toContain('Not used: "Title"');
    expect(stderr).toContain('5 lines were not registered: jobs.csv.import-report says why.');
    const report = linesOf('jobs.csv.import-report').sort((a, b) => a.line - b.line);
    expect(report.map(({ line, kind }) => [line, kind])).toEqual([
      [5, 'repeated'],
      [6, 'differs'],
      [7, 'unreadable'],
      [8, 'unreadable'],
      [11, 'refused'],
      [12, 'unreadable'],
    ]);
    expect(report[4]).toMatchObject({
      requestId: refused,
      status: 400,
      reason: expect.stringContaining('callbackUrl'),
    });
    expect((await client.requests.get(plain)).metadata).toEqual({ order: '42', team: 'red' });
    expect(await client.requests.get(quoted)).toMatchObject({
      metadata: { order: 'a "b"; c' },
      callbacks: [{ url: 'http://127.0.0.1:9/hook' }],
    });
    expect((await client.requests.get(lines)).metadata).toEqual({ order: 'two\nlines', team: 'blue' });
  });

  test('that changed is imported as far as it is new, and what differs is named', async () => {
    const [first = '', second = '', third = ''] = ids(3);
    write('changed.csv', `id,metadata.n\n${first},1\n${second},2\n`);
    expect((await cli.run(['import', 'changed.csv'])).code).toBe(0);
    write('changed.csv', `id,metadata.n\n${third},3\n${second},two\n${first},1\n`);
    const again = await cli.run(['import', 'changed.csv', '--json']);
    expect(again.code).toBe(4);
    expect(valuesOf(again.stdout)).toMatchObject([{ registered: 1, earlier: 1, differs: 1 }]);
    const found = [{ line: 3, requestId: second }];
    expect(linesOf('changed.csv.import-report')).toMatchObject(found);
    // A run that cannot begin finds nothing.
    expect((await cli.run(['import', 'changed.csv', '--column', 'none=requestId'])).code).toBe(2);
    expect(linesOf('changed.csv.import-report')).toMatchObject(found);
    expect((await client.requests.get(second)).metadata).toEqual({ n: '2' });
  });

  test('of ids alone needs no names', async () => {
    const given = ids(2);
    write('ids.txt', given.join('\n'));
    const { code, stdout } = await cli.run(['import', 'ids.txt', '--dry-run']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'ids.txt: 2 would be registered.\n' });
    expect(existsSync(join(cli.folder, 'ids.txt.import-journal'))).toBe(false);
    await cli.run(['import', 'ids.txt', '-m', 'from=list', '--no-copy']);
    expect((await client.requests.get(given[1]!)).metadata).toEqual({ from: 'list' });
  });

  test('without a line is done', async () => {
    write('empty.csv', '');
    expect(await cli.run(['import', 'empty.csv'])).toMatchObject({
      code: 0,
      stdout: 'empty.csv has no requests.\n',
    });
  });

  test.each([
    ['id,name\n', ['--column', 'job=requestId'], 2, 'has no column "job": it has "id", "name"'],
    ['job,name\n', [], 2, 'no column that is known to hold the ids'],
    [`${unknownId()},x\n`, [], 2, 'the first line must name the columns'],
    ['id\n', ['--column', 'id=nothing'], 2, '--column takes NAME=FIELD'],
    ['id\n', ['--journal', 'wrong.csv'], 2, 'must be different files'],
    ['[{}]', [], 2, 'array of JSON'],
    [Buffer.from([0x69, 0x64, 0x0a, 0xe9, 0x0a]), [], 2, 'not text in UTF-8'],
    ['id\n', ['--journal', 'ids.txt'], 4, 'is not the journal of an import'],
  ])('%j with %j ends with %i', async (content, flags, code, sentence) => {
    write('wrong.csv', content);
    write('ids.txt', 'mine\n');
    const outcome = await cli.run(['import', 'wrong.csv', ...flags]);
    expect(outcome).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(sentence) });
    expect(read('ids.txt')).toBe('mine\n');
  });
});

test('JSON lines come from standard input, which keeps a journal only where one is named', async () => {
  const [first = '', second = ''] = ids(2);
  const input = `{"id": "${first}", "metadata": {"a": "1"}, "note": 1}\n"${second}"\n{"id": 7}\n{\n`;
  const once = await cli.run(['import', '-'], { input });
  expect(once).toMatchObject({ code: 4, stderr: expect.stringContaining('has no journal') });
  expect(once.stderr).toContain('Line 4: it is not JSON');
  expect(once.stdout).toBe('Standard input: 2 registered, 2 unreadable.\n');
  expect((await client.requests.get(first)).metadata).toEqual({ a: '1' });
  const kept = ['import', '-', '--format', 'jsonl', '--journal', 'stdin.journal'];
  expect((await cli.run(kept, { input })).stdout).toContain('0 registered, 2 tracked already');
  expect((await cli.run(kept, { input })).stdout).toContain('0 registered, 2 by an earlier run');
});

test(`${MANY} ids are registered once each, though the import is killed half way`, {
  timeout: 600_000,
}, async () => {
  const given = ids(MANY);
  write('many.csv', `requestId\n${given.join('\n')}\n`);
  const journal = () =>
    existsSync(join(cli.folder, 'many.csv.import-journal')) ? read('many.csv.import-journal') : '';
  const first = cli.start(['import', 'many.csv']);
  const killed = outcomeOf(first);
  await vi.waitFor(() => expect(journal().split('\n').length).toBeGreaterThan(MANY / 2), MAX_WAIT);
  first.kill('SIGKILL');
  await killed;
  // A write may be cut in the middle.
  const cut = journal().slice(0, -20);
  write('many.csv.import-journal', cut);

  const second = await cli.run(['import', 'many.csv', '--json']);
  expect(second.code).toBe(0);
  const results = linesOf('many.csv.import-journal').slice(1);
  expect(results.map(({ requestId }) => requestId).sort()).toEqual([...given].sort());
  // 200 would mean that the bridge had it already: the idempotency key gives the first answer again.
  expect(results.filter(({ status }) => status !== 201)).toEqual([]);
  const earlier = cut.split('\n').length - 2;
  expect(valuesOf(second.stdout)).toMatchObject([{ read: MANY, earlier, registered: MANY - earlier }]);
  const listed: string[] = [];
  for await (const { requestId } of client.requests.list()) listed.push(requestId);
  expect(given.filter((id) => !listed.includes(id))).toEqual([]);
});

/** Matches the second batch that is sent. */
function secondBatch(): (sent: string) => boolean {
  let batches = 0;
  return (sent) => sent.startsWith('POST /v1/requests/batch') && ++batches === 2;
}

describe('an import whose second batch is lost', { timeout: 60_000 }, () => {
  const given = ids(101);
  const over = { BRIDGE_URL: '' };
  let network: Network;
  beforeAll(async () => {
    network = await openNetwork(bridge.apiUrl);
    over.BRIDGE_URL = network.url;
    write('lost.csv', given.join('\n'));
  });
  afterAll(() => network?.close());

  test('ends by Ctrl-C with a journal with which the next run goes on', async () => {
    const lost = network.lose(secondBatch());
    const first = cli.start(['import', 'lost.csv'], over);
    const outcome = outcomeOf(first);
    await lost;
    const meanwhile = await cli.run(['import', 'lost.csv'], { env: over });
    expect(meanwhile).toMatchObject({
      code: 4,
      stderr: expect.stringContaining(
        `Another run (process ${first.pid}) is at work on lost.csv.import-journal`,
      ),
    });
    first.kill('SIGINT');
    expect(await outcome).toMatchObject({ code: 130, stderr: expect.stringContaining('Run it again') });
    network.mend();
    const { stdout } = await cli.run(['import', 'lost.csv'], { env: over });
    expect(stdout).toBe('lost.csv: 1 registered, 100 by an earlier run.\n');
  });

  test('waits for the network, and registers each id once', async () => {
    write('waits.csv', ids(101).join('\n'));
    const lost = network.lose(secondBatch());
    const waiting = cli.start(['import', 'waits.csv'], over);
    const outcome = outcomeOf(waiting);
    await lost;
    const warned = warns(waiting, 'Trying again.');
    network.cut();
    await warned;
    network.mend();
    expect(await outcome).toMatchObject({
      code: 0,
      stdout: 'waits.csv: 101 registered.\n',
      stderr: expect.stringContaining('The bridge answers again.'),
    });
  });

  test('that was killed leaves a lock that is ignored', async () => {
    write('killed.csv', ids(101).join('\n'));
    const lost = network.lose(secondBatch());
    const killed = cli.start(['import', 'killed.csv'], over);
    const outcome = outcomeOf(killed);
    await lost;
    killed.kill('SIGKILL');
    await outcome;
    network.mend();
    const { stdout } = await cli.run(['import', 'killed.csv'], { env: over });
    expect(stdout).toBe('killed.csv: 1 registered, 100 by an earlier run.\n');
    expect(existsSync(join(cli.folder, 'killed.csv.import-journal.lock'))).toBe(false);
  });
});

test('is drawn in place on a terminal', async () => {
  write('terminal.csv', ids(20).join('\n'));
  const { code, stdout } = await cli.runOnTerminal(['import', 'terminal.csv']);
  expect(code).toBe(0);
  expect(stdout).toContain('of 20 lines: ');
  expect(stdout).toContain('\u001b[1A\u001b[J');
  expect(stdout).toContain('terminal.csv: 20 registered.');
});

test('a bridge that asks to wait is waited for, and one that is gone leaves the rest to the next run', async () => {
  const given = ids(150);
  write('busy.csv', given.join('\n'));
  const bodies: string[][] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { items } = JSON.parse(Buffer.concat(chunks).toString()) as { items: { requestId: string }[] };
    bodies.push(items.map(({ requestId }) => requestId));
    if (bodies.length === 1) return response.writeHead(429, { 'retry-after': '0' }).end();
    if (bodies.length === 3) return response.writeHead(403).end('{"detail": "The key may only read."}');
    response.end(JSON.stringify({ items: items.map(({ requestId }) => ({ requestId, status: 201 })) }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const env = { BRIDGE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  try {
    const first = await cli.run(['import', 'busy.csv'], { env });
    expect(first).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('100 were registered in this run'),
    });
    expect((await cli.run(['import', 'busy.csv'], { env })).stdout).toContain(
      '50 registered, 100 by an earlier run',
    );
    expect(bodies).toEqual([given.slice(0, 100), given.slice(0, 100), given.slice(100), given.slice(100)]);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  expect(await cli.run(['import', 'busy.csv'])).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('about another bridge'),
  });
});

test('an import that registered nothing names no journal, since there is none', async () => {
  write('none.csv', ids(3).join('\n'));
  const refused = await cli.run(['import', 'none.csv'], { env: { BRIDGE_API_KEY: 'wrong' } });
  expect(refused).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('Run it again: it begins from the start.'),
  });
  expect(refused.stderr).not.toContain('import-journal');
});
