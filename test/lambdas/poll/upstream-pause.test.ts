import { expect, test, vi } from 'vitest';
import { upstreamPauseKey } from '../../../lambdas/domain/rows.ts';
import { LEASE_MS } from '../../../lambdas/domain/work.ts';
import { createUpstreamPauses } from '../../../lambdas/poll/upstream-pause.ts';
import { API_KEY } from '../../local/topaz/simulated-topaz.ts';
import { useDatabase } from '../../support/dynamodb.ts';
import { PLACEHOLDER, pollWorld } from './poll-world.ts';

const database = useDatabase();

/** A world in which upstream answers all requests this way. */
async function setUp(fault: Record<string, unknown>) {
  const world = await pollWorld(database());
  const answerWith = (faults: Record<string, unknown>[]) => world.topaz.post('/_sim/faults', { faults });
  await answerWith([{ at: 'status', kind: 'http', ...fault }]);
  const registerMany = async (count: number) => {
    const requests = [];
    for (let n = 0; n < count; n++) requests.push(await world.register());
    return requests;
  };
  /** Polls whichever is due next. */
  const pollNext = async (requests: readonly Awaited<ReturnType<typeof world.register>>[]) => {
    const due = await Promise.all(requests.map(async (request) => ({ request, ...(await request.hint()) })));
    await due.sort((a, b) => a.dueAt - b.dueAt)[0]?.request.poll();
  };
  return { ...world, answerWith, registerMany, pollNext };
}
type Requests = Awaited<ReturnType<Awaited<ReturnType<typeof setUp>>['registerMany']>>;

const hintsOf = (requests: Requests) => Promise.all(requests.map((request) => request.hint()));

test.each([401, 403, 429, 503])(
  'one request that is always answered with %i is polled by a backoff of its own, and the others as ever',
  async (status) => {
    const { register, registerMany, pollNext, answerWith, pauses, pause, lines } = await setUp({ status });
    await answerWith([]);
    const poisoned = await register([['processing', 0]], {}, [{ at: 'status', kind: 'http', status }]);
    const good = await registerMany(2);
    for (let round = 0; round < 24; round++) await pollNext([poisoned, ...good]);
    for (const request of good) expect((await request.row()).polls).toBeGreaterThan(6);
    expect(pauses).toHaveLength(1);
    expect(await pause()).toBeUndefined();
    const reason = status < 429 ? 'unauthorized' : 'throttled';
    expect(lines.join()).toContain(`Topaz refuses this request alone (${reason})`);
    expect(await poisoned.view()).toMatchObject({ state: 'active', status: 'registered' });
    expect((await poisoned.row()).faults).toBeGreaterThanOrEqual(3);
  },
);

test('a request that was refused alone pauses all again once it was answered between', async () => {
  const { register, registerMany, pollNext, answerWith, pauses } = await setUp({ status: 429 });
  await answerWith([]);
  const request = await register([['processing', 0]], {}, [
    { at: 'status', kind: 'http', status: 429, times: 2 },
  ]);
  const good = await registerMany(1);
  while ((await request.row()).status === 'registered') await pollNext([request, ...good]);
  expect(pauses).toHaveLength(1);
  await answerWith([{ at: 'status', kind: 'http', status: 429 }]);
  await request.poll();
  expect(pauses).toHaveLength(2);
});

test('a wait that upstream asks for is kept by the one request that it refuses', async () => {
  const { register, registerMany, pollNext, answerWith, clock } = await setUp({ status: 429 });
  await answerWith([]);
  const refusal = { at: 'status', kind: 'http', status: 429, retryAfter: 600 };
  const request = await register([['processing', 0]], {}, [refusal]);
  const good = await registerMany(1);
  while ((await request.row()).faults === undefined) await pollNext([request, ...good]);
  expect(((await request.row()).dueAt ?? 0) - clock.now()).toBe(600_000);
});

test.each([
  ['429 with seconds', { status: 429, retryAfter: 77 }, 77_000],
  ['503 with a date', { status: 503, retryAfter: 'Mon, 23 Nov 2026 20:02:00 GMT' }, 120_000],
  ['429 without', { status: 429 }, 5_000],
  ['503 without', { status: 503 }, 5_000],
  ['429 with nonsense', { status: 429, retryAfter: 'soon' }, 5_000],
])('%s pauses all polling for as long as it asks, and no request changes', async (_, fault, wait) => {
  const { registerMany, worker, clock, sent, pause, pauses } = await setUp(fault);
  const [first, second] = await registerMany(2);
  const start = clock.now();
  await worker.invoke(await hintsOf([first!]));
  await worker.invoke(await hintsOf([second!]));
  expect(sent).toHaveLength(1);
  expect(await pause()).toMatchObject({ reason: 'throttled', until: start + wait, strikes: 1 });
  expect(pauses).toHaveLength(1);
  // The refused row is due only after another's probe.
  const nextPollAt = new Date(start + wait + 5_000).toISOString();
  const lastError = {
    at: new Date(start).toISOString(),
    reason: 'Topaz limits the rate of polls (429 or 503)',
  };
  expect(await first!.view()).toMatchObject({ status: 'registered', polls: 0, nextPollAt, lastError });
  expect(await second!.view()).toMatchObject({ status: 'registered', polls: 0, lastPolledAt: null });
});

test('a refusal that a worker hears of only after another has polled its request pauses nothing', async () => {
  const { register, worker, clock, answerWith, pause, pauses } = await setUp({
    status: 429,
    retryAfter: 600,
  });
  const request = await register();
  const call = fetch;
  vi.spyOn(globalThis, 'fetch').mockImplementationOnce(async (...args) => {
    const refusal = await call(...args);
    clock.advance(LEASE_MS + 1);
    await answerWith([]);
    await request.poll();
    return refusal;
  });
  await worker.invoke([await request.hint()]);
  expect(await request.view()).toMatchObject({ status: 'processing', polls: 1 });
  expect([await pause(), pauses]).toEqual([undefined, []]);
});

test('while upstream goes on asking to wait, the wait doubles', async () => {
  const { register, pauses, clock } = await setUp({ status: 429 });
  const request = await register();
  const waits = [];
  for (let probe = 0; probe < 4; probe++) {
    await request.poll();
    waits.push((pauses.at(-1)?.until ?? 0) - clock.now());
  }
  expect(pauses.map(({ strikes }) => strikes)).toEqual([1, 2, 3, 4]);
  expect(waits).toEqual([5_000, 10_000, 20_000, 40_000]);
});

test('answers to polls that were under way together are one strike', async () => {
  const { registerMany, worker, sent, pauses } = await setUp({ status: 429 });
  await worker.invoke(await hintsOf(await registerMany(8)));
  expect(sent.length).toBeGreaterThan(1);
  expect(pauses.map(({ strikes }) => strikes)).toEqual([1]);
});

test('of workers that pause at once the longest wait counts', async () => {
  const { table, pause, clock } = await pollWorld(database());
  const worker = () =>
    createUpstreamPauses({ table, now: clock.now, random: () => 0, onApply: () => undefined });
  const waits = [600_000, 60_000, 90_000];
  const refusals = waits.map((retryAfterMs) => ({ reason: 'throttled', retryAfterMs }) as const);
  await Promise.all(refusals.map((refusal) => worker().apply(refusal)));
  expect(await pause()).toMatchObject({ until: clock.now() + 600_000, strikes: 1 });
});

test('a row whose message arrives during a pause waits for its end, and keeps what it holds', async () => {
  const { registerMany, worker, sent, pause, hints } = await setUp({ status: 429, retryAfter: 60 });
  const [first, ...others] = await registerMany(21);
  await worker.invoke(await hintsOf([first!]));
  await worker.invoke(await hintsOf(others));
  expect(sent).toHaveLength(1);
  const until = (await pause())?.until ?? 0;
  for (const request of others) {
    expect(await request.row()).toMatchObject({ polls: 0, lane: 'poll', dueAt: until });
    expect(await request.row()).not.toHaveProperty('claims');
    expect(hints.of('poll')).toContainEqual(await request.hint());
  }
  // Another row is the probe, and tells whether the refused one alone is meant.
  expect(await first!.row()).toMatchObject({ dueAt: until + 5_000 });
});

test('when the pause ends, of many rows one is the probe, and its answer frees the others', async () => {
  const { registerMany, startWorker, worker, answerWith, clock, sent, pause } = await setUp({
    status: 429,
    retryAfter: 60,
  });
  const requests = await registerMany(12);
  await worker.invoke(await hintsOf(requests.slice(0, 1)));
  clock.advance(60_000);
  sent.length = 0;
  // Still paused: what comes at once, to two workers, sends one poll, which is answered with 429 again.
  const others = await hintsOf(requests.slice(1));
  await Promise.all([startWorker().invoke(others.slice(0, 6)), startWorker().invoke(others.slice(6))]);
  expect(sent).toHaveLength(1);
  expect(await pause()).toMatchObject({ strikes: 2 });

  await answerWith([]);
  clock.advance(((await pause())?.until ?? 0) - clock.now());
  await startWorker().invoke((await hintsOf(requests)).slice(0, 1));
  expect(await pause()).toBeUndefined();
  for (const request of requests) {
    await request.poll();
    expect(await request.view()).toMatchObject({ status: 'processing' });
  }
});

test('a probe that gets no answer is followed by another, and the pause stays', async () => {
  const { register, answerWith, pause, clock, sent } = await setUp({ status: 429, retryAfter: 60 });
  const request = await register();
  await request.poll();
  await answerWith([{ at: 'status', kind: 'reset', times: 2 }]);
  await request.poll();
  expect(await pause()).toMatchObject({ strikes: 1, probeUntil: clock.now() + 15_000 });
  const next = await register();
  await next.poll();
  expect(sent).toHaveLength(3);
  await next.poll();
  expect(await pause()).toBeUndefined();
  expect(await next.view()).toMatchObject({ status: 'processing' });
});

test('a pause that a person ended is over at once for a worker that knew of it', async () => {
  const { registerMany, worker, clock, sent, pause, table, answerWith } = await setUp({
    status: 429,
    retryAfter: 600,
  });
  const [first, second] = await registerMany(2);
  await worker.invoke(await hintsOf([first!]));
  await answerWith([]);
  // As `POST /v1/requests/{requestId}/poll` does.
  await table.write({ update: upstreamPauseKey, set: { until: clock.now() } });
  await worker.invoke(await hintsOf([second!]));
  expect(sent).toHaveLength(2);
  expect(await second!.view()).toMatchObject({ status: 'processing' });
  expect(await pause()).toBeUndefined();
});

test.each([401, 403])(
  '%i for all requests pauses everything, for a minute once a probe has confirmed it, and is told each time',
  async (status) => {
    const { registerMany, pollNext, pauses, sent } = await setUp({ status });
    const requests = await registerMany(3);
    for (let round = 0; round < 15; round++) await pollNext(requests);
    const reasons = new Set(pauses.map(({ reason }) => reason));
    const [first = 0, ...waits] = pauses.map(({ until }, n) => until - (sent[n] ?? 0));
    expect([...reasons]).toEqual(['unauthorized']);
    expect(first).toBe(5_000);
    expect(waits).toEqual(waits.map(() => 60_000));
    expect(sent).toHaveLength(pauses.length);
    const [request] = requests as [Requests[number]];
    expect(await request.view()).toMatchObject({
      state: 'active',
      status: 'registered',
      polls: 0,
      parked: undefined,
    });
  },
);

test('a key that was put right is found by the next probe, without a new deployment', async () => {
  const { register, secret, pause } = await pollWorld(database());
  secret.text = 'wrong';
  const request = await register();
  await request.poll();
  expect(await pause()).toMatchObject({ reason: 'unauthorized' });
  secret.text = API_KEY;
  await request.poll();
  expect(await pause()).toBeUndefined();
  expect(await request.view()).toMatchObject({ status: 'processing' });
});

test('a key that was replaced takes hold at the first refusal, though the old one is cached', async () => {
  const { register, secret, topaz, pauses } = await pollWorld(database());
  await (await register()).poll();
  await topaz.post('/_sim/key', { key: 'next' });
  secret.text = 'next';
  const request = await register();
  await request.poll();
  expect(await request.view()).toMatchObject({ status: 'processing' });
  expect(pauses).toEqual([]);
});

test.each([
  ['the placeholder of the deployment', PLACEHOLDER],
  ['text that no header can carry', 'line\nbreak'],
])('%s is no key: upstream is not called, and what is missing is said', async (_, text) => {
  const { register, secret, sent, pauses, pause } = await setUp({ status: 401 });
  secret.text = text;
  const request = await register();
  await request.poll();
  expect(sent).toEqual([]);
  expect(await pause()).toMatchObject({ reason: 'no-key' });
  expect(pauses[0]?.detail).toBe('the secret holds no Topaz API key: put yours in place of its text');
  expect(await request.view()).toMatchObject({ state: 'active', status: 'registered', polls: 0 });
});
