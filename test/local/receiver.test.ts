import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type ReceivedWebhook, type ReceiverOptions, startReceiver } from '../../local/receiver.ts';

const secretOf = (letter: string) => `whsec_${Buffer.from(letter.repeat(32)).toString('base64')}`;
const SECRET = secretOf('a');
const NOW = Date.parse('2026-11-23T20:00:00Z');

async function receiver(options: Partial<ReceiverOptions> = {}) {
  const { url, close } = await startReceiver({ secrets: () => [SECRET], now: () => NOW, ...options });
  onTestFinished(close);
  return {
    url,
    send: (path: string, body: string, headers: Record<string, string> = {}) =>
      fetch(url + path, { method: 'POST', body, headers }),
    behave: (behavior: unknown) =>
      fetch(`${url}/_behave`, { method: 'POST', body: JSON.stringify(behavior) }),
    async received(query = ''): Promise<ReceivedWebhook[]> {
      const { items } = (await (await fetch(`${url}/_received${query}`)).json()) as {
        items: ReceivedWebhook[];
      };
      return items;
    },
  };
}

function signed(body: string, secret = SECRET, at = new Date()): Record<string, string> {
  return {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign('msg_1', at, body),
  };
}

const event = (requestId: string) => JSON.stringify({ type: 'video.complete', data: { requestId } });

describe('the built-in receiver', () => {
  test('remembers across a restart what it logged, but for a line that was half written', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'receiver-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const logFile = join(folder, 'received.jsonl');
    const before = await receiver({ logFile });
    await before.send('/hook', event('a'), signed(event('a')));
    appendFileSync(logFile, '{"receivedAt": "2026-');
    const after = await receiver({ logFile });
    expect(await after.received()).toEqual(await before.received());
  });

  test('remembers a signed webhook as verified, with its headers and body', async () => {
    const { send, received } = await receiver();
    const headers = signed(event('a'));
    expect((await send('/hook?x=1', event('a'), headers)).status).toBe(204);
    expect(await received()).toEqual([
      {
        receivedAt: '2026-11-23T20:00:00.000Z',
        path: '/hook?x=1',
        headers,
        verified: true,
        body: { type: 'video.complete', data: { requestId: 'a' } },
        rawBody: event('a'),
        statusCode: 204,
      },
    ]);
  });

  test('verifies against any of the secrets, asked for again each time', async () => {
    const secrets = [SECRET];
    const { send, received } = await receiver({ secrets: async () => secrets });
    await send('/', event('a'), signed(event('a'), secretOf('b')));
    secrets.push(secretOf('b'));
    await send('/', event('a'), signed(event('a'), secretOf('b')));
    expect((await received()).map(({ verified }) => verified)).toEqual([false, true]);
  });

  test.each([
    ['without a signature', {}],
    ['signed for another body', signed('other')],
    ['signed by another secret', signed(event('a'), secretOf('b'))],
    ['signed ten minutes ago', signed(event('a'), SECRET, new Date(Date.now() - 600_000))],
  ])('takes a webhook %s, but not as verified', async (_, headers) => {
    const { send, received } = await receiver();
    expect((await send('/', event('a'), headers)).status).toBe(204);
    expect((await received())[0]!.verified).toBe(false);
  });

  test('lists the webhooks of one request', async () => {
    const { send, received } = await receiver();
    await send('/', event('a'));
    await send('/', event('b'));
    await send('/', 'not JSON');
    expect((await received('?requestId=b')).map(({ rawBody }) => rawBody)).toEqual([event('b')]);
    expect(await received()).toHaveLength(3);
  });

  test('forgets the oldest beyond a thousand', async () => {
    const { send, received } = await receiver();
    for (let number = 0; number <= 1000; number += 1) await send('/', String(number));
    const bodies = (await received()).map(({ body }) => body);
    expect([bodies.length, bodies[0], bodies.at(-1)]).toEqual([1000, 1, 1000]);
  });

  test('tells its owner of each webhook', async () => {
    const told: string[] = [];
    const { send } = await receiver({ onWebhook: ({ rawBody }) => told.push(rawBody) });
    await send('/', 'one');
    await send('/', 'two');
    expect(told).toEqual(['one', 'two']);
  });

  test('answers as it is told to, so many times, and remembers those too', async () => {
    const { send, behave, received } = await receiver();
    await behave({ status: 503, times: 2, retryAfter: 9, delayMs: 1 });
    const answers = [await send('/', '1'), await send('/', '2'), await send('/', '3')];
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 204]);
    expect(answers[0]!.headers.get('retry-after')).toBe('9');
    expect((await received()).map(({ statusCode }) => statusCode)).toEqual([503, 503, 204]);
  });

  test('answers otherwise on one path alone, rather than as on all', async () => {
    const { send, behave } = await receiver();
    await behave({ status: 500 });
    await behave({ path: '/gone', status: 410 });
    expect((await send('/gone?x=1', '')).status).toBe(410);
    expect((await send('/other', '')).status).toBe(500);
  });

  test('answers as usual again when told nothing', async () => {
    const { send, behave } = await receiver();
    await behave({ status: 500 });
    await behave({});
    expect((await send('/', '')).status).toBe(204);
  });

  test('closes while an answer is delayed', async () => {
    const { url, close } = await startReceiver({ secrets: () => [] });
    await fetch(`${url}/_behave`, { method: 'POST', body: JSON.stringify({ delayMs: 3_600_000 }) });
    const answer = fetch(url, { method: 'POST', body: '' });
    while (((await (await fetch(`${url}/_received`)).json()) as { items: unknown[] }).items.length === 0);
    await close();
    await expect(answer).rejects.toThrow();
  });

  test('refuses a behavior it does not know, by name', async () => {
    const { behave } = await receiver();
    const answer = await behave({ staus: 500 });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('staus');
  });

  test('answers 404 to what is no POST and no call of its own', async () => {
    const { url } = await receiver();
    expect((await fetch(`${url}/anything`)).status).toBe(404);
  });
});
