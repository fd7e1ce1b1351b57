import { execFileSync, spawnSync } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Client, createClient, type VideoRequest } from '../../client/client.ts';
import { type LocalBridge, READ_KEY, startLocalBridge } from '../support/local-bridge.ts';
import { type CommandLine, openCommandLine, outcomeOf, valuesOf } from './command-line.ts';
import { openNetwork } from './network.ts';

const DONE = { statuses: [['complete', 0]], progress: [[0, 100]] };
const FAILED = { statuses: [['failed', 0]], progress: [] };
const NOTHING = randomUUID();
const PRINTED_TIME = /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/;

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

const job = (trace: object): Promise<string> => bridge.setJob({ trace });

describe('a request from the command line', { timeout: 60_000 }, () => {
  let id: string;

  test('is tracked, waited for and downloaded, with a line per change in a pipe', async () => {
    id = await job(DONE);
    const { code, stdout } = await cli.run(['track', id, '-m', 'order=42', '--wait', '--download', 'videos']);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.filter((line) => line.startsWith(`${id.slice(0, 8)}  registered`)).length).toBeLessThan(2);
    expect(stdout).toContain('stored as s3://');
    expect(lines.at(-1)).toContain('checksum verified');
    const { video } = await client.requests.get(id);
    const bytes = readFileSync(join(cli.folder, 'videos', `${id}-video.mp4`));
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(crc32(bytes));
    expect(crc.toString('base64')).toBe(video?.checksum?.value);
  });

  test('is shown, listed, and gives its events', async () => {
    const shown = await cli.run(['show', id]);
    expect(shown.stdout).toMatch(/metadata +order=42/);
    expect(shown.stdout).toMatch(/Copy\n +stored/);
    expect(shown.stdout).toMatch(PRINTED_TIME);
    const listed = valuesOf((await cli.run(['requests', '--json', '-q', '42'])).stdout) as VideoRequest[];
    expect(listed.map(({ requestId }) => requestId)).toEqual([id]);
    const events = valuesOf((await cli.run(['events', id, '--json'])).stdout) as { type: string }[];
    expect(events.at(-1)?.type).toBe('video.stored');
  });

  test('continues an interrupted download, and keeps a file that is another one', async () => {
    const { video } = await client.requests.get(id);
    const whole = readFileSync(join(cli.folder, 'videos', `${id}-video.mp4`));
    const crc = Buffer.from(video?.checksum?.value ?? '', 'base64').toString('hex');
    const partial = join(cli.folder, `.again.mp4.${crc}.part`);
    writeFileSync(partial, whole.subarray(0, 1_000));
    expect(await cli.run(['download', id, '-o', 'again.mp4'])).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(join(cli.folder, 'again.mp4')).equals(whole)).toBe(true);
    expect(existsSync(partial)).toBe(false);

    // What is left of another video is noticed by the checksum, and the whole file never appears.
    writeFileSync(join(cli.folder, `.third.mp4.${crc}.part`), Buffer.alloc(1_000));
    const wrong = await cli.run(['download', id, '-o', 'third.mp4']);
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('do not match the checksum') });
    expect(existsSync(join(cli.folder, 'third.mp4'))).toBe(false);
    expect((await cli.run(['download', id, '-o', 'third.mp4'])).code).toBe(0);

    writeFileSync(join(cli.folder, 'mine.mp4'), 'mine');
    expect((await cli.run(['download', id, '-o', 'mine.mp4'])).code).toBe(4);
    expect(readFileSync(join(cli.folder, 'mine.mp4'), 'utf8')).toBe('mine');
  });

  test('is drawn in place on a terminal', async () => {
    const { stdout } = await cli.runOnTerminal(['track', id, '--wait']);
    expect(stdout).toContain('\u001b[1A\u001b[J');
    expect(stdout).toContain('stored as s3://');
  });

  test('that failed upstream ends the wait with code 1 and the reason, a line each', async () => {
    const failed = [await job(FAILED), await job(FAILED)];
    const { code, stderr } = await cli.run(['track', ...failed, '--wait']);
    expect(code).toBe(1);
    expect(stderr.trimEnd().split('\n')).toEqual(
      failed.map((each) => expect.stringMatching(`^${each}: failed`)),
    );
    expect(stderr).not.toMatch(/submit/i);
  });

  test('is waited for though the network is away meanwhile', async () => {
    const network = await openNetwork(bridge.apiUrl);
    const endless = await job({ statuses: [['processing', 0]], progress: [[0, 5]] });
    const waiting = cli.start(['track', endless, '--wait'], { BRIDGE_URL: network.url });
    const outcome = outcomeOf(waiting);
    let said = '';
    for (const stream of [waiting.stdout, waiting.stderr])
      stream?.on('data', (text: string) => {
        said += text;
      });
    const hears = (words: string) =>
      vi.waitFor(() => expect(said).toContain(words), { timeout: 60_000, interval: 20 });
    await hears('processing');
    network.cut();
    await hears('Trying again.');
    await client.requests.stop(endless);
    network.mend();
    expect(await outcome).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('stopped while processing'),
      stderr: expect.stringContaining('The bridge answers again.'),
    });
    network.close();
  });

  test('whose copy waits is shown with the time of the last failure and its reason', async () => {
    const waiting = await bridge.setJob({
      trace: DONE,
      faults: [{ at: 'download', kind: 'http', status: 503 }],
    });
    await cli.run(['track', waiting]);
    await vi.waitFor(
      async () => expect((await client.requests.get(waiting)).video?.lastError).toBeDefined(),
      { timeout: 30_000, interval: 100 },
    );
    const { stdout } = await cli.run(['show', waiting]);
    expect(stdout).toMatch(/^ {2}last failure \d{4}-\d\d-\d\d \d\d:\d\d:\d\d: the source answered 503$/m);
    await cli.run(['stop', waiting]);
  });

  test('is waited for no longer than --timeout says', async () => {
    const slow = await job({
      statuses: [
        ['processing', 0],
        ['complete', 9_999],
      ],
      progress: [[0, 5]],
    });
    const { code, stderr } = await cli.run(['track', slow, '--wait', '--timeout', '1']);
    expect({ code, stderr }).toEqual({
      code: 5,
      stderr: 'Not all have ended in this time; the bridge goes on tracking them.\n',
    });
    expect((await cli.run(['poll', slow])).code).toBe(0);
    expect((await cli.run(['stop', slow])).stdout).toBe(`${slow} is stopped.\n`);
    expect((await cli.run(['restart', slow])).stdout).toBe(`${slow} is active.\n`);
    expect(await cli.run(['purge', slow])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--yes'),
    });
    expect((await cli.run(['purge', slow, '--yes'])).code).toBe(0);
    expect((await cli.run(['restart', slow])).code).toBe(3);
  });
});

test('endpoints are managed, and their deliveries shown, retried and replayed', {
  timeout: 60_000,
}, async () => {
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await cli.run([...args, '--json']);
    expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
    return valuesOf(stdout) as Record<string, unknown>[];
  };
  const [added] = await json(
    'endpoints',
    'add',
    '--to',
    'http://127.0.0.1:9/hooks',
    '--events',
    'endpoint.*',
    '--header',
    'x-team=video',
  );
  const id = String(added?.id);
  expect(await json('endpoints', 'list')).toHaveLength(1);
  expect((await cli.run(['endpoints', 'show', id])).stdout).toContain('x-team');
  expect(await json('endpoints', 'update', id, '--rate-limit', '5')).toMatchObject([{ rateLimit: 5 }]);
  expect(await json('endpoints', 'secret', id)).toEqual([{ secret: added?.secret }]);
  const [rotated] = await json('endpoints', 'rotate', id, '--overlap', '1');
  expect(rotated?.secret).not.toBe(added?.secret);
  await json('endpoints', 'test', id);
  const sent = async () => {
    for (;;) {
      const [each] = await json('deliveries', id);
      if (each && Number(each.attemptCount) > 0) return each;
    }
  };
  const delivery = await sent();
  expect((await cli.run(['delivery', String(delivery.id)])).stdout).toMatch(/refused/);
  await json('retry', String(delivery.id));
  const [tried] = await json('endpoints', 'test', id, '--to', 'http://127.0.0.1:9/', '--type', 'video.lost');
  expect(tried).toMatchObject({ attempt: { error: 'connect_refused' } });
  expect(await json('endpoints', 'disable', id)).toMatchObject([{ enabled: false }]);
  expect(await json('endpoints', 'enable', id)).toMatchObject([{ enabled: true }]);
  const dry = await cli.run(['replay', id, '--since', '1h', '--type', 'endpoint.*', '--dry-run']);
  expect(dry.stdout).toBe('0 deliveries would be sent again.\n');
  expect((await json('replay', id, '--since', '1h')).at(-1)).toMatchObject({ state: 'done', matched: 0 });
  expect(await cli.run(['endpoints', 'rm', id])).toMatchObject({ code: 2 });
  await json('endpoints', 'rm', id, '--yes');
  expect(await cli.run(['endpoints', 'show', id])).toMatchObject({ code: 3 });
});

test('a profile is saved for its owner alone, and refused when others can read it', async () => {
  const env = {
    BRIDGE_URL: '',
    BRIDGE_API_KEY: '',
    TOPAZ_BRIDGE_CONFIG: join(cli.folder, 'config/bridge.json'),
  };
  expect((await cli.run(['requests'], { env })).stderr).toContain('topaz-bridge login');
  expect((await cli.run(['login'], { env })).code).toBe(2);
  const wrong = await cli.run(['login', '--url', bridge.apiUrl, '--key', 'wrong'], { env });
  expect(wrong.code).toBe(4);
  expect(existsSync(env.TOPAZ_BRIDGE_CONFIG)).toBe(false);
  const saved = await cli.run(['login', 'looker', '--url', bridge.apiUrl, '--key', READ_KEY], { env });
  expect(saved.stdout).toContain('(read)');
  expect(statSync(env.TOPAZ_BRIDGE_CONFIG).mode & 0o777).toBe(0o600);
  expect((await cli.run(['requests'], { env })).code).toBe(0);
  expect((await cli.run(['requests', '--profile', '__proto__'], { env })).stderr).toContain('looker');
  expect(await cli.run(['poll', NOTHING, '--profile', 'looker'], { env })).toMatchObject({ code: 4 });
  const other = ['--url', bridge.apiUrl.replace('127.0.0.1', 'localhost'), '--key', READ_KEY];
  expect(await cli.run(['login', 'looker', ...other], { env })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('give --yes'),
  });
  expect(JSON.parse(readFileSync(env.TOPAZ_BRIDGE_CONFIG, 'utf8')).profiles.looker.url).toBe(bridge.apiUrl);
  expect((await cli.run(['login', 'looker', '--yes', ...other], { env })).code).toBe(0);
  chmodSync(env.TOPAZ_BRIDGE_CONFIG, 0o644);
  const refused = await cli.run(['requests'], { env });
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('chmod 600') });
});

test.each([
  ['{"default":"x","profiles":{"x":5}}', 2, 'The profile "x" lacks an address or a key'],
  ['{"default":"x","profiles":{"x":{"key":"k"}}}', 2, 'The profile "x" lacks an address or a key'],
  ['{"default":"x"', 1, 'is not a file of profiles'],
])('the profiles %s are refused with what to do, and login saves one again', async (text, code, sentence) => {
  const config = join(cli.folder, 'damaged.json');
  const env = { BRIDGE_URL: '', BRIDGE_API_KEY: '', TOPAZ_BRIDGE_CONFIG: config };
  writeFileSync(config, text, { mode: 0o600 });
  const refused = await cli.run(['requests'], { env });
  expect(refused).toMatchObject({ code, stderr: expect.stringContaining(sentence) });
  if (code === 1) rmSync(config);
  expect((await cli.run(['login', 'x', '--url', bridge.apiUrl, '--key', READ_KEY], { env })).code).toBe(0);
  expect((await cli.run(['requests'], { env })).code).toBe(0);
});

test('a folder in place of the profiles is no file of profiles', async () => {
  const env = { BRIDGE_URL: '', BRIDGE_API_KEY: '', TOPAZ_BRIDGE_CONFIG: cli.folder };
  expect(await cli.run(['requests'], { env })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('is not a file of profiles'),
  });
});

test.each([
  [['reqests'], 2, 'did you mean `requests`?'],
  [['frobnicate'], 2, 'No command registered for `frobnicate`. See --help.'],
  [['--url', 'http://127.0.0.1:1', 'requests'], 2, 'Give a command before --url.'],
  [['requests', '--stat', 'x'], 2, 'did you mean --state?'],
  [['requests', '--limit', '0'], 2, 'give a whole number from 1'],
  [
    ['deliveries', 'ep_x', '--since', 'once'],
    2,
    '"once" for since: give 2026-11-26T20:00Z, or 2h for two hours ago.',
  ],
  [['show'], 2, 'Expected argument for ID'],
  [['replay', 'ep_x', '--since', 'yesterday'], 2, 'or 2h for two hours ago. See --help.'],
  [['import', '.'], 1, 'This is a folder; give a file.'],
  [['show', NOTHING], 3, 'There is no such request'],
  [['requests', '--url', 'http://127.0.0.1:1/?a', '--key', 'k'], 2, 'is not the address of a bridge'],
  [['requests', '--key', 'wrong', '--url'], 2, 'Expected input for flag --url'],
  [['track', NOTHING, '--wait', '--timeout', '5s'], 2, 'give a whole number of seconds from 1'],
  [['track', NOTHING, '--timeout', '5'], 2, 'give --wait'],
  [['endpoints', 'add'], 2, 'give --to URL'],
  [['endpoints', 'update', 'ep_x'], 2, 'Say what to change'],
  [['endpoints', 'add', '--kind', 'pull', '--to', 'https://x.example'], 2, '--to is for kind http'],
  [['endpoints', 'add', '--kind', 'eventbridge'], 2, 'give --bus NAME'],
  [['endpoints', 'add', '--to', 'ftp://x'], 4, 'url: '],
])('%j ends with %i and one sentence', async (args, code, sentence) => {
  const outcome = await cli.run(args);
  expect(outcome).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(sentence) });
  expect(outcome.stderr).not.toMatch(/^\s+at /m);
  expect(outcome.stderr.trimEnd().split('\n')).toHaveLength(1);
});

test('a server that is no bridge is recognized, and --debug shows the cause', async () => {
  const server = createServer((request, response) => {
    const found = request.url?.includes('requests?');
    response.writeHead(found ? 200 : 404, { 'content-type': 'text/html' }).end('<html>Welcome</html>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const here = ['--url', url, '--key', 'k'];
    const html = await cli.run(['requests', '--limit', '1', ...here]);
    expect(html).toMatchObject({ code: 1, stderr: expect.stringContaining('something other than JSON') });
    const missing = await cli.run(['show', NOTHING, ...here]);
    expect(missing.stderr).toContain('not as a bridge does');
    expect((await cli.run(['show', NOTHING, '--debug', ...here])).stderr).toMatch(/^ {4}at /m);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  const unreachable = await cli.run(['requests', '--url', url, '--key', 'k']);
  expect(unreachable).toMatchObject({
    code: 1,
    stderr: `${url} cannot be reached. Nothing listens there: check the address, and that the bridge runs.\n`,
  });
});

describe('verify', () => {
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  const body = '{"a": 1}';
  const timestamp = Math.floor(Date.now() / 1000);
  const sign = (text: string, at = timestamp) =>
    `v1,${createHmac('sha256', Buffer.alloc(32, 7)).update(`msg_1.${at}.${text}`).digest('base64')}`;
  const verify = (headers: string, content = body, key = secret) => {
    writeFileSync(join(cli.folder, 'headers'), headers);
    writeFileSync(join(cli.folder, 'body'), content);
    return cli.run(['verify', '--secret', key, '--headers', 'headers', '--body', 'body']);
  };
  const headers = (signature: string, at = timestamp) =>
    `HTTP/1.1 200\nWebhook-Id: msg_1\nWebhook-Timestamp: ${at}\nWebhook-Signature: ${signature}\n`;

  test('accepts what was signed, in lines and in JSON', async () => {
    expect(await verify(headers(sign(body)))).toMatchObject({ code: 0, stdout: 'The signature is right.\n' });
    const json = { 'webhook-id': 'msg_1', 'webhook-timestamp': timestamp, 'webhook-signature': sign(body) };
    expect((await verify(JSON.stringify(json))).code).toBe(0);
  });

  test.each([
    [
      'another secret',
      () => verify(headers(sign(body)), body, `whsec_${Buffer.alloc(32, 8).toString('base64')}`),
      'the secret is another one',
    ],
    ['an old timestamp', () => verify(headers(sign(body, timestamp - 900), timestamp - 900)), 's old'],
    [
      'a timestamp to come',
      () => verify(headers(sign(body, timestamp + 900), timestamp + 900)),
      'in the future',
    ],
    ['a newline at the end', () => verify(headers(sign(body)), `${body}\n`), 'a newline was added'],
    ['a lost newline', () => verify(headers(sign(`${body}\n`)), body), 'a newline was lost'],
    ['JSON written again', () => verify(headers(sign('{"a":1}')), body), 'parsed and written again'],
    ['a missing header', () => verify('webhook-id: msg_1\n'), 'webhook-timestamp is missing'],
    [
      'a doubled header',
      () => verify(`${headers(sign(body))}webhook-id: msg_2\n`),
      'webhook-id comes 2 times',
    ],
  ])('names %s', async (_name, run, reason) => {
    expect(await run()).toMatchObject({ code: 1, stderr: expect.stringContaining(reason) });
  });

  test('names each of several reasons on a line of its own', async () => {
    const { stderr } = await verify('webhook-id: msg_1\n');
    expect(stderr.trimEnd().split('\n')).toEqual([
      expect.stringContaining('webhook-timestamp is missing'),
      expect.stringContaining('webhook-signature is missing'),
    ]);
  });
});

test('the next words of a line are proposed: commands, flags and values', async () => {
  const complete = async (...words: string[]) =>
    (await cli.run(['__complete', ...words])).stdout.split('\n').map((line) => line.split('\t')[0]);
  expect(await complete('endp')).toContain('endpoints');
  expect(await complete('requests', '--st')).toEqual(expect.arrayContaining(['--state', '--status']));
  expect(await complete('requests', '--state', 'a')).toContain('active');
});

/** What each shell runs, with the script of its completion in `$script`. */
const SHELLS = {
  bash: (words: string[]) =>
    `source <(echo "$script"); COMP_WORDS=(topaz-bridge ${words.join(' ')}) COMP_CWORD=${words.length}
     _topaz_bridge && echo "\${COMPREPLY[@]}"`,
  // The functions of zsh's own completion work within its line editor only.
  zsh: (words: string[]) =>
    `compdef() { :; }; _files() { print files; }; _describe() { print -l $found; }
     eval "$script"; words=(topaz-bridge ${words.join(' ')}); CURRENT=${words.length + 1}; _topaz_bridge`,
  fish: (words: string[]) =>
    `echo $script | string collect | source; complete -C 'topaz-bridge ${words.join(' ')}'`,
};
const isThere = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;

test.for(Object.entries(SHELLS))('%s completes a line by its script', async ([shell, run], { skip }) => {
  skip(!isThere(shell), `${shell} is not installed`);
  const bin = join(cli.folder, 'completing');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'topaz-bridge'), `#!/bin/sh\nexec '${process.execPath}' '${cli.script}' "$@"\n`);
  chmodSync(join(bin, 'topaz-bridge'), 0o755);
  const { stdout: script } = await cli.run(['completion', shell]);
  const env = { ...cli.env, PATH: `${bin}:${cli.env.PATH}`, script };
  const completed = (...words: string[]) =>
    execFileSync(shell, ['-c', run(words)], { env, cwd: cli.folder, encoding: 'utf8' });
  expect(completed('requests', '--state', 'pa')).toMatch(/^parked\b/);
  expect(completed('endp')).toMatch(/^endpoints\b/);
});
