import { expect, test } from 'vitest';
import { replayKey } from '../../../../lambdas/domain/rows.ts';
import { useDatabase } from '../../../support/dynamodb.ts';
import { createClient } from '../call-api.ts';

const database = useDatabase();

async function setUp() {
  const { call, hints } = createClient(database());
  const { body } = await call('POST', '/v1/endpoints', { body: { url: 'https://receiver.example/' } });
  hints.clear();
  const path = `/v1/endpoints/${body.id}/replay`;
  return { call, hints, path, endpointId: body.id };
}

test('a replay is ordered as a row that the deliver stage is woken for, and shows how far it has come', async () => {
  const { call, hints, path, endpointId } = await setUp();
  const { status, body } = await call('POST', path, { body: { since: '2026-11-20T00:00:00Z' } });
  expect(status).toBe(202);
  expect(hints.of('deliver')).toMatchObject([replayKey(body.replayId)]);
  expect((await call('GET', `/v1/replays/${body.replayId}`)).body).toEqual({
    id: body.replayId,
    endpointId,
    state: 'queueing',
    matched: 0,
    queued: 0,
    done: 0,
    since: '2026-11-20T00:00:00.000Z',
    until: '2026-11-23T20:00:00.000Z',
  });
});

test('a replay of one type of event says so to the deliver stage', async () => {
  const { call, path } = await setUp();
  const { body } = await call('POST', path, { body: { since: '2026-11-20T00:00:00Z', type: 'video.*' } });
  expect(await database().table.get(replayKey(body.replayId))).toMatchObject({ type: 'video.*' });
});

test('the same idempotency key orders one replay', async () => {
  const { call, path } = await setUp();
  const order = () =>
    call('POST', path, {
      body: { since: '2026-11-20T00:00:00Z', state: 'all' },
      headers: { 'idempotency-key': 'once' },
    });
  const [first, second] = [await order(), await order()];
  expect(second.body).toEqual(first.body);
});

test.each([
  [{}],
  [{ since: 'yesterday' }],
  [{ since: '2026-11-20T00:00:00Z', until: '2026-11-19T00:00:00Z' }],
  [{ since: '2026-11-20T00:00:00Z', state: 'pending' }],
  [{ since: '2026-11-20T00:00:00Z', type: 'video' }],
])('%o is refused', async (body) => {
  const { call, path } = await setUp();
  expect((await call('POST', path, { body })).status).toBe(400);
});

test('what is unknown cannot be replayed or looked at', async () => {
  const { call } = await setUp();
  const body = { since: '2026-11-20T00:00:00Z' };
  expect((await call('POST', '/v1/endpoints/ep_aunknown/replay', { body })).status).toBe(404);
  expect((await call('GET', '/v1/replays/rpl_unknown')).status).toBe(404);
});
