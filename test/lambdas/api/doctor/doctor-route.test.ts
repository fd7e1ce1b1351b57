import { describe, expect, test } from 'vitest';
import type { Deployment } from '../../../../lambdas/api/doctor/deployment-checks.ts';
import type { UpstreamAnswer, UpstreamCheckRow } from '../../../../lambdas/domain/polling/upstream-check.ts';
import {
  endpointKey,
  requestKey,
  upstreamCheckKey,
  upstreamPauseKey,
} from '../../../../lambdas/domain/rows.ts';
import { useDatabase } from '../../../support/dynamodb.ts';
import { endpointRow } from '../../../support/rows.ts';
import { createClient, uuid, WELL } from '../call-api.ts';

type Check = { name: string; state: string; detail: string; remedy?: string };
/** What the poll stage answers the doctor with; undefined when it is not there. */
type Said = Pick<UpstreamAnswer, 'outcome' | 'detail'> | undefined;

const database = useDatabase();
const MINUTE = 60_000;

/** An api stage whose doctor is answered by a poll stage as `said` at that moment. */
async function clinic(deployment: Partial<Deployment> = {}) {
  const { table } = database();
  await table.write({ delete: upstreamCheckKey });
  const poll = { said: { outcome: 'accepted' } as Said, asked: 0 };
  const api = createClient(database(), {
    deployment: { ...WELL, ...deployment },
    sleep: async (ms) => {
      api.clock.now += ms;
      const row = await table.get<UpstreamCheckRow>(upstreamCheckKey);
      if (!poll.said || row?.lane !== 'poll') return;
      poll.asked++;
      const answer = { ...poll.said, at: api.clock.now, durationMs: 230 };
      await table.write({ update: upstreamCheckKey, set: { answer }, remove: ['lane', 'dueAt'] });
    },
  });
  const checks = async (): Promise<Record<string, Check>> => {
    const { status, body } = await api.call('GET', '/v1/doctor');
    expect({ status, version: body.version }).toEqual({ status: 200, version: 'from sources' });
    for (const { state, remedy } of body.checks as Check[]) expect(remedy === undefined).toBe(state === 'ok');
    return Object.fromEntries(body.checks.map((check: Check) => [check.name, check]));
  };
  return { api, table, poll, checks };
}

test('the doctor finds all well, then names each thing that a person has to mend', async () => {
  const { api, table, checks } = await clinic();
  const well = await checks();
  expect(Object.values(well).map(({ state }) => state)).toEqual(Object.values(well).map(() => 'ok'));

  const [late, parked] = [uuid('late'), uuid('parked')];
  for (const requestId of [late, parked]) await api.call('POST', '/v1/requests', { body: { requestId } });
  const since = api.clock.now;
  await table.write({
    update: requestKey(parked),
    set: { lane: 'parked', parked: { reason: 'x', since, lane: 'poll' } },
  });
  const failing = endpointRow(3, { health: { state: 'failing' } });
  await table.write({ put: { ...failing, ...endpointKey(failing.id) } });
  api.clock.now += 30 * MINUTE;

  const ill = await checks();
  expect(ill.work).toMatchObject({ state: 'warning', detail: 'Work is late: poll by 30 min.' });
  expect(ill.parked).toMatchObject({ state: 'failed', detail: '1 piece of work is parked.' });
  expect(ill.endpoints).toMatchObject({ state: 'warning', detail: expect.stringContaining(failing.id) });
});

describe('upstream', () => {
  test.each<[Said, string, string]>([
    [{ outcome: 'accepted' }, 'ok', 'Topaz answers in 230 ms, and accepts the key.'],
    [
      { outcome: 'unauthorized', detail: 'Topaz refuses the API key' },
      'failed',
      'Topaz refuses the API key.',
    ],
    [{ outcome: 'no-key', detail: 'there is no key' }, 'failed', 'There is no key.'],
    [{ outcome: 'throttled', detail: 'Topaz limits polls' }, 'warning', 'Topaz limits polls.'],
    [
      { outcome: 'fault', detail: 'Topaz answered 500' },
      'failed',
      'Topaz does not answer as it should: Topaz answered 500.',
    ],
    [undefined, 'warning', 'The poll stage has not asked Topaz within 12 s.'],
  ])('that gives the poll stage %j is shown as %s', async (said, state, detail) => {
    const { checks, poll } = await clinic();
    poll.said = said;
    expect((await checks()).upstream).toMatchObject({ state, detail });
  });

  test('is asked once a minute while it accepts the key, and after 10 s once it does not', async () => {
    const { api, checks, poll } = await clinic();
    const later = async (ms: number, said: Said) => {
      api.clock.now += ms;
      poll.said = said;
      return { ...(await checks()).upstream, asked: poll.asked };
    };
    const refused: Said = { outcome: 'unauthorized', detail: 'no' };
    expect(await later(0, { outcome: 'accepted' })).toMatchObject({ state: 'ok', asked: 1 });
    expect(await later(MINUTE, refused)).toMatchObject({ state: 'ok', asked: 1 });
    expect(await later(1, refused)).toMatchObject({ state: 'failed', asked: 2 });
    expect(await later(10_000, { outcome: 'accepted' })).toMatchObject({ state: 'failed', asked: 2 });
    expect(await later(1, { outcome: 'accepted' })).toMatchObject({ state: 'ok', asked: 3 });
  });

  test('is asked once by two who look at once', async () => {
    const { checks, poll, api } = await clinic();
    const both = await Promise.all([checks(), checks()]);
    expect(both.map(({ upstream }) => upstream?.state)).toEqual(['ok', 'ok']);
    expect(api.hints.of('poll')).toHaveLength(1);
    expect(poll.asked).toBeLessThanOrEqual(2);
  });

  test('is asked again when the poll stage lost the question', async () => {
    const { checks, poll, api } = await clinic();
    poll.said = undefined;
    await checks();
    await checks();
    expect(api.hints.of('poll')).toHaveLength(1);
    api.clock.now += MINUTE;
    poll.said = { outcome: 'accepted' };
    expect((await checks()).upstream).toMatchObject({ state: 'ok' });
    expect(api.hints.of('poll')).toHaveLength(2);
  });

  test('that is paused is shown with whether the key is taken by now', async () => {
    const { api, table, checks, poll } = await clinic();
    const until = api.clock.now + MINUTE;
    const pause = { reason: 'unauthorized', strikes: 2, since: api.clock.now, until };
    await table.write({ put: { ...upstreamPauseKey, ...pause } });
    poll.said = undefined;
    expect((await checks()).upstream).toMatchObject({
      state: 'failed',
      detail: expect.stringMatching(/^Polling is paused until .*refuses the API key/),
    });
    api.clock.now += 31_000;
    poll.said = { outcome: 'accepted' };
    expect((await checks()).upstream).toMatchObject({
      state: 'warning',
      detail: expect.stringMatching(/^Topaz accepts the key now, but polling is paused/),
    });
    await table.write({ delete: upstreamPauseKey });
  });
});

describe('the deployment', () => {
  test('has its messages and dead letters counted', async () => {
    const messages = async () => ({ waiting: [2, 0], dead: 3 });
    expect((await (await clinic({ messages })).checks()).queues).toMatchObject({
      state: 'warning',
      detail: '2 queues answer, with 2 messages waiting and 3 dead letters.',
      remedy: expect.stringContaining('docs/runbook.md#deadletters'),
    });
  });

  test.each([
    ['missing', 'is gone'],
    ['forbidden', 'refuses access'],
    ['elsewhere', 'in another region'],
  ] as const)('whose bucket is %s is told so', async (state, words) => {
    const { checks } = await clinic({ bucket: async () => state });
    expect((await checks()).bucket).toMatchObject({
      state: 'failed',
      detail: expect.stringContaining(words),
    });
  });

  test('has its raised alarms explained', async () => {
    const alarm = (meaning: string, isRaised: boolean) => ({
      meaning,
      isRaised,
      section: `docs/runbook.md#${meaning.length}`,
    });
    const alarms = async () => [alarm('Work waits.', true), alarm('A copy fails.', true), alarm('x', false)];
    expect((await (await clinic({ alarms })).checks()).alarms).toEqual({
      name: 'alarms',
      state: 'failed',
      detail: 'Raised alarms: 2 of 3. Work waits. A copy fails.',
      remedy: 'See docs/runbook.md#11, docs/runbook.md#13',
    });
    expect((await (await clinic({ alarms: async () => [] })).checks()).alarms).toMatchObject({
      state: 'warning',
    });
  });

  test('that AWS does not show fails its own check and no other', async () => {
    const denied = async () => {
      throw Object.assign(new Error('arn:aws:secret'), { name: 'AccessDeniedException' });
    };
    const found = await (await clinic({ messages: denied, alarms: denied })).checks();
    expect(found.queues).toMatchObject({
      state: 'failed',
      detail: 'This could not be checked (AccessDeniedException).',
    });
    expect(found.bucket?.state).toBe('ok');
  });
});
