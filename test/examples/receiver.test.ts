import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../../examples/receiver/node.mjs', import.meta.url));
const page = fileURLToPath(new URL('../../docs/receiving.md', import.meta.url));

const secretOf = (letter: string) => `whsec_${Buffer.from(letter.repeat(32)).toString('base64')}`;
const SECRET = secretOf('a');
const MINUTE = 60_000;

type Signing = { secrets?: string[]; at?: number };
type Webhooked = { body: string; headers: Record<string, string> };

let messages = 0;

/** A webhook as the bridge sends it; each has an id of its own. */
function webhook(
  type: string,
  data: object,
  { secrets = [SECRET], at = Date.now() }: Signing = {},
): Webhooked {
  messages += 1;
  const id = `msg_${messages}`;
  const timestamp = new Date(Date.UTC(2026, 10, 23) + messages).toISOString();
  const body = JSON.stringify({ id, type, timestamp, data });
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at / 1000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, new Date(at), body)).join(' '),
  };
  return { body, headers };
}

describe('the example receiver', () => {
  let child: ChildProcess;
  let lines: AsyncIterator<string>;
  let url: string;

  beforeEach(async () => {
    const env = { ...process.env, WEBHOOK_SECRET: SECRET, PORT: '0' };
    child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    const port = /^Listening on port (\d+)$/.exec(await line())?.[1];
    url = `http://127.0.0.1:${port}/hook`;
  });

  afterEach(async () => {
    const ended = child.exitCode === null && child.signalCode === null && once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });

  const line = async (): Promise<string> => (await lines.next()).value ?? '';
  const send = async ({ body, headers }: Webhooked): Promise<number> =>
    (await fetch(url, { method: 'POST', body, headers })).status;

  /** What the program worked on, up to a last webhook that it is sent for the purpose. */
  async function taken(): Promise<string[]> {
    await send(webhook('video.requested', { requestId: 'the-last', sequence: 1 }));
    const found: string[] = [];
    for (let next = await line(); next !== 'video.requested the-last 1'; next = await line()) {
      if (next === '') throw new Error('the receiver ended');
      found.push(next);
    }
    return found;
  }

  it('answers 2xx to what is signed, and takes it', async () => {
    expect(await send(webhook('video.processing', { requestId: 'é', sequence: 4 }))).toBe(204);
    expect(await taken()).toEqual(['video.processing é 4']);
  });

  it.each([
    ['the old', [secretOf('b'), SECRET]],
    ['the new', [SECRET, secretOf('b')]],
  ])('accepts the two signatures of a rotation when it has %s secret', async (_, secrets) => {
    const rotating = webhook('video.stored', { requestId: 'a', sequence: 7 }, { secrets });
    expect(rotating.headers['webhook-signature']).toMatch(/^v1,\S+ v1,\S+$/);
    expect(await send(rotating)).toBe(204);
    expect(await taken()).toEqual(['video.stored a 7']);
  });

  const data = { requestId: 'a', sequence: 1 };
  const genuine = webhook('video.failed', data);
  it.each([
    ['without a signature', { ...genuine, headers: {} }],
    ['whose body was changed', { ...genuine, body: genuine.body.replace('failed', 'stored') }],
    ['whose id was changed', { ...genuine, headers: { ...genuine.headers, 'webhook-id': 'msg_0' } }],
    ['signed by another secret', webhook('video.failed', data, { secrets: [secretOf('b')] })],
    ['signed long ago', webhook('video.failed', data, { at: Date.now() - 60 * MINUTE })],
    ['signed in the future', webhook('video.failed', data, { at: Date.now() + 60 * MINUTE })],
    [
      'with a malformed signature',
      { ...genuine, headers: { ...genuine.headers, 'webhook-signature': 'v1' } },
    ],
  ])('refuses one %s, and takes nothing of it', async (_, forged) => {
    expect(await send(forged)).toBe(400);
    expect(await taken()).toEqual([]);
  });

  it('refuses what is larger than any webhook, even with a valid signature', async () => {
    expect(await send(webhook('video.failed', { ...data, message: 'x'.repeat(65_536) }))).toBe(413);
    expect(await taken()).toEqual([]);
  });

  it('refuses what is no POST', async () => {
    expect((await fetch(url)).status).toBe(405);
  });

  it('takes a repeated webhook once, and answers it alike', async () => {
    const complete = webhook('video.complete', { requestId: 'a', sequence: 6 });
    expect([await send(complete), await send(complete), await send(complete)]).toEqual([204, 204, 204]);
    expect(await taken()).toEqual(['video.complete a 6']);
  });

  it('does not take an older number of a request for news, but accepts it', async () => {
    await send(webhook('video.complete', { requestId: 'a', sequence: 6 }));
    expect(await send(webhook('video.processing', { requestId: 'a', sequence: 4 }))).toBe(204);
    await send(webhook('video.processing', { requestId: 'b', sequence: 4 }));
    await send(webhook('video.stored', { requestId: 'a', sequence: 7 }));
    expect(await taken()).toEqual(['video.complete a 6', 'video.processing b 4', 'video.stored a 7']);
  });

  it('orders by time what carries the same number', async () => {
    const late = webhook('progress.updated', { requestId: 'a', sequence: 4 });
    await send(webhook('progress.updated', { requestId: 'a', sequence: 4 }));
    await send(late);
    await send(webhook('progress.updated', { requestId: 'a', sequence: 4 }));
    expect(await taken()).toEqual(['progress.updated a 4', 'progress.updated a 4']);
  });

  it('takes what is about an endpoint, which has no number', async () => {
    await send(webhook('endpoint.disabled', { endpointId: 'ep_1' }));
    await send(webhook('endpoint.recovered', { endpointId: 'ep_1' }));
    expect(await taken()).toEqual(['endpoint.disabled ep_1 -', 'endpoint.recovered ep_1 -']);
  });

  it('survives a sender that breaks off', async () => {
    const headers = { 'content-length': 100, expect: '100-continue' };
    const breaking = request(url, { method: 'POST', headers }).on('error', () => {});
    breaking.flushHeaders();
    await once(breaking, 'continue');
    breaking.destroy();
    expect(await taken()).toEqual([]);
  });

  it('ends cleanly when it is told to', async () => {
    await send(webhook('video.stored', { requestId: 'a', sequence: 7 }));
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(await line()).toBe('video.stored a 7');
  });
});

it.each([
  [{ PORT: '0' }, 'Set WEBHOOK_SECRET.\n'],
  [{ WEBHOOK_SECRET: SECRET }, 'Set PORT.\n'],
  [{}, 'Set WEBHOOK_SECRET and PORT.\n'],
])('the example receiver with %o alone says what is missing', async (env, stderr) => {
  const started = promisify(execFile)(process.execPath, [program], { env });
  await expect(started).rejects.toMatchObject({ code: 1, stderr });
});

it('the page on receiving shows the program that is tested', () => {
  const [, shown] = /```js\n(.*?)```/s.exec(readFileSync(page, 'utf8')) ?? [];
  expect(shown).toBe(readFileSync(program, 'utf8'));
});
