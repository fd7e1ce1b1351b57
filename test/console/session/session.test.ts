import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { api, restoreSession, session, signedOutBecause, signIn } from '../../../console/session/session.ts';

// The session asks for the page's origin when it is loaded.
vi.hoisted(() => vi.stubGlobal('location', { origin: 'https://bridge.example' }));

const WHO = { keyId: 'ada', role: 'admin' };
type Answer = [status: number, body: object];

/** What the bridge answers to each key, by its calls in order; the last one holds on. */
let answers: Record<string, (Answer | 'unreachable' | Promise<Answer>)[]>;

beforeEach(() => {
  answers = {};
  const stored = new Map([['bridge-key', 'old']]);
  vi.stubGlobal('location', { origin: 'https://bridge.example' });
  vi.stubGlobal('sessionStorage', {
    getItem: (name: string) => stored.get(name) ?? null,
    setItem: (name: string, value: string) => stored.set(name, value),
    removeItem: (name: string) => stored.delete(name),
  });
  vi.stubGlobal('fetch', async (_url: string, { headers }: { headers: HeadersInit }) => {
    const key = new Headers(headers).get('authorization')?.replace('Bearer ', '') ?? '';
    const given = answers[key] ?? [];
    const answer = await (given.length > 1 ? given.shift() : given[0]);
    if (answer === 'unreachable' || !answer) throw new TypeError('fetch failed');
    return new Response(JSON.stringify(answer[1]), {
      status: answer[0],
      headers: { 'content-type': 'application/json' },
    });
  });
  vi.useFakeTimers();
  session.value = undefined;
  signedOutBecause.value = undefined;
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test.each([
  ['unreachable' as const],
  [[503, { detail: 'busy' }] as Answer],
  [[429, { detail: 'busy' }] as Answer],
])('a reload while the bridge answers %j keeps the session, and learns later who it is', async (trouble) => {
  answers.old = [...Array(12).fill(trouble), [200, WHO]];
  restoreSession();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(session.value).toMatchObject({ who: undefined });
  await vi.advanceTimersByTimeAsync(600_000);
  expect(session.value?.who).toMatchObject(WHO);
});

test('a key that is no longer accepted ends the session', async () => {
  answers.old = [[401, { detail: 'unknown key' }]];
  restoreSession();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(session.value).toBeUndefined();
  expect(signedOutBecause.value).toContain('no longer accepted');
});

test('a refusal of a former key that comes late does not end the session of a newer one', async () => {
  const late = Promise.withResolvers<Answer>();
  answers.old = [late.promise];
  answers.new = [[200, WHO]];
  restoreSession();
  await signIn('new');
  late.resolve([401, { detail: 'unknown key' }]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(session.value).toMatchObject({ client: api(), who: WHO });
});
