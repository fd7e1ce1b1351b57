import { expect, test } from 'vitest';
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
    const { register, registerMany, pollNext, answerWith, brakes, brake, lines } = await setUp({ status });
    await answerWith([]);
    const poisoned = await register([['processing', 0]], {}, [{ at: 'status', kind: 'http', status }]);
    const good = await registerMany(2);
    for (let round = 0; round < 150; round++) await pollNext([poisoned, ...good]);
    for (const request of good) expect((await request.row()).polls).toBeGreaterThan(50);
    expect(brakes).toHaveLength(1);
    expect(await brake()).toBeUndefined();
    const reason = status < 429 ? 'unauthorized' : 'throttled';
    expect(lines.join()).toContain(`upstream refuses this request alone (${reason})`);
    expect(await poisoned.view()).toMatchObject({ state: 'active', status: 'registered' });
    expect((await poisoned.row()).faults).toBeGreaterThanOrEqual(5);
  },
);

test('a request that was refused alone brakes all again once it was answered between', async () => {
  const { register, registerMany, pollNext, answerWith, brakes } = await setUp({ status: 429 });
  await answerWith([]);
  const request = await register([['processing', 0]], {}, [
    { at: 'status', kind: 'http', status: 429, times: 2 },
  ]);
  const good = await registerMany(1);
  while ((await request.row()).status === 'registered') await pollNext([request, ...good]);
  expect(brakes).toHaveLength(1);
  await answerWith([{ at: 'status', kind: 'http', status: 429 }]);
  await request.poll();
  expect(brakes).toHaveLength(2);
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
])('%s brakes all polling for as long as it asks, and no request changes', async (_, fault, wait) => {
  const { registerMany, worker, clock, sent, brake, brakes } = await setUp(fault);
  const [first, second] = await registerMany(2);
  const start = clock.now();
  await worker.invoke(await hintsOf([first!]));
  await worker.invoke(await hintsOf([second!]));
  expect(sent).toHaveLength(1);
  expect(await brake()).toMatchObject({ reason: 'throttled', until: start + wait, strikes: 1 });
  expect(brakes).toHaveLength(1);
  // The refused row is due only after another's probe.
  const nextPollAt = new Date(start + wait + 5_000).toISOString();
  expect(await first!.view()).toMatchObject({ status: 'registered', polls: 0, nextPollAt });
  expect(await second!.view()).toMatchObject({ status: 'registered', polls: 0, lastPolledAt: null });
});

test('while upstream goes on asking for patience, the wait doubles', async () => {
  const { register, brakes, clock } = await setUp({ status: 429 });
  const request = await register();
  const waits = [];
  for (let probe = 0; probe < 4; probe++) {
    await request.poll();
    waits.push((brakes.at(-1)?.until ?? 0) - clock.now());
  }
  expect(brakes.map(({ strikes }) => strikes)).toEqual([1, 2, 3, 4]);
  expect(waits).toEqual([5_000, 10_000, 20_000, 40_000]);
});

test('answers to polls that were under way together are one strike', async () => {
  const { registerMany, worker, sent, brakes } = await setUp({ status: 429 });
  await worker.invoke(await hintsOf(await registerMany(8)));
  expect(sent.length).toBeGreaterThan(1);
  expect(brakes.map(({ strikes }) => strikes)).toEqual([1]);
});

test('of two workers that brake at once the longer wait counts', async () => {
  const { register, startWorker, answerWith, brake, clock } = await setUp({ status: 429 });
  await answerWith([]);
  const start = clock.now();
  const refused = (retryAfter: number) =>
    register([['processing', 0]], {}, [{ at: 'status', kind: 'http', status: 429, retryAfter }]);
  const requests = [await refused(600), await refused(60), await refused(90)];
  await Promise.all((await hintsOf(requests)).map((hint) => startWorker().invoke([hint])));
  expect(await brake()).toMatchObject({ until: start + 600_000, strikes: 1 });
});

test('a row whose message arrives while braked is put off by a single write, and keeps what it holds', async () => {
  const { registerMany, worker, writes } = await setUp({ status: 429, retryAfter: 60 });
  const [first, ...others] = await registerMany(21);
  await worker.invoke(await hintsOf([first!]));
  const before = writes.length;
  await worker.invoke(await hintsOf(others));
  expect(writes.slice(before).map((write) => write.length)).toEqual(others.map(() => 1));
  for (const request of others) expect(await request.row()).toMatchObject({ polls: 0, lane: 'poll' });
});

test('after the brake a row that was not refused is due first, and the others follow at the pace', async () => {
  const { registerMany, worker, hints, brake } = await setUp({ status: 429, retryAfter: 60 });
  const [first, ...others] = await registerMany(11);
  await worker.invoke(await hintsOf([first!]));
  await worker.invoke(await hintsOf(others));
  const until = (await brake())?.until ?? 0;
  const due = [...new Map(hints.of('poll').map((hint) => [hint.pk, hint.dueAt])).values()];
  expect(due.sort((a, b) => a - b)).toEqual([until, ...others.map((_, n) => until + 5_000 + n * 210)]);
});

test('when the brake ends, of many rows one is the probe, and its answer frees the others', async () => {
  const { registerMany, startWorker, worker, answerWith, clock, sent, brake } = await setUp({
    status: 429,
    retryAfter: 60,
  });
  const requests = await registerMany(12);
  await worker.invoke(await hintsOf(requests.slice(0, 1)));
  clock.advance(60_000);
  sent.length = 0;
  // Still braked: what comes at once, to two workers, sends one poll, which is answered with 429 again.
  const others = await hintsOf(requests.slice(1));
  await Promise.all([startWorker().invoke(others.slice(0, 6)), startWorker().invoke(others.slice(6))]);
  expect(sent).toHaveLength(1);
  expect(await brake()).toMatchObject({ strikes: 2 });

  await answerWith([]);
  clock.advance(((await brake())?.until ?? 0) - clock.now());
  await startWorker().invoke((await hintsOf(requests)).slice(0, 1));
  expect(await brake()).toBeUndefined();
  for (const request of requests) {
    await request.poll();
    expect(await request.view()).toMatchObject({ status: 'processing' });
  }
});

test('a probe that gets no answer is followed by another, and the brake stays', async () => {
  const { register, answerWith, brake, clock, sent } = await setUp({ status: 429, retryAfter: 60 });
  const request = await register();
  await request.poll();
  await answerWith([{ at: 'status', kind: 'reset', times: 1 }]);
  await request.poll();
  expect(await brake()).toMatchObject({ strikes: 1, probeUntil: clock.now() + 15_000 });
  const next = await register();
  await next.poll();
  expect(sent).toHaveLength(2);
  await next.poll();
  expect(await brake()).toBeUndefined();
  expect(await next.view()).toMatchObject({ status: 'processing' });
});

test.each([401, 403])(
  '%i for all requests brakes everything, for a minute once a probe has confirmed it, and is told each time',
  async (status) => {
    const { registerMany, pollNext, brakes, sent } = await setUp({ status });
    const requests = await registerMany(3);
    for (let round = 0; round < 30; round++) await pollNext(requests);
    const reasons = new Set(brakes.map(({ reason }) => reason));
    const [first = 0, ...waits] = brakes.map(({ until }, n) => until - (sent[n] ?? 0));
    expect([...reasons]).toEqual(['unauthorized']);
    expect(first).toBe(5_000);
    expect(waits).toEqual(waits.map(() => 60_000));
    expect(sent).toHaveLength(brakes.length);
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
  const { register, secret, brake } = await pollWorld(database());
  secret.text = 'wrong';
  const request = await register();
  await request.poll();
  expect(await brake()).toMatchObject({ reason: 'unauthorized' });
  secret.text = API_KEY;
  await request.poll();
  expect(await brake()).toBeUndefined();
  expect(await request.view()).toMatchObject({ status: 'processing' });
});

test('a key that was replaced takes hold at the first refusal, though the old one is cached', async () => {
  const { register, secret, topaz, brakes } = await pollWorld(database());
  await (await register()).poll();
  await topaz.post('/_sim/key', { key: 'next' });
  secret.text = 'next';
  const request = await register();
  await request.poll();
  expect(await request.view()).toMatchObject({ status: 'processing' });
  expect(brakes).toEqual([]);
});

test.each([
  ['the placeholder of the deployment', PLACEHOLDER],
  ['text that no header can carry', 'line\nbreak'],
])('%s is no key: upstream is not called, and what is missing is said', async (_, text) => {
  const { register, secret, sent, brakes, brake } = await setUp({ status: 401 });
  secret.text = text;
  const request = await register();
  await request.poll();
  expect(sent).toEqual([]);
  expect(await brake()).toMatchObject({ reason: 'no-key' });
  expect(brakes[0]?.detail).toBe('the secret holds no Topaz API key: put yours in place of its text');
  expect(await request.view()).toMatchObject({ state: 'active', status: 'registered', polls: 0 });
});
