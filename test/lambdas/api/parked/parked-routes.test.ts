import { expect, test } from 'vitest';
import { endpointId, replayId } from '../../../../lambdas/domain/ids.ts';
import {
  cancellationKey,
  copyKey,
  endpointKey,
  outboxKey,
  replayKey,
  requestKey,
  segmentKey,
  urlTestKey,
} from '../../../../lambdas/domain/rows.ts';
import type { Lane, RowKey, Work } from '../../../../lambdas/domain/work.ts';
import { useDatabase } from '../../../support/dynamodb.ts';
import { expectHintsToNameRows } from '../../../support/recorded-hints.ts';
import { createClient, READER, uuid } from '../call-api.ts';

const database = useDatabase();
const requestId = uuid('parked');
const ENDPOINT = endpointId('account', new Uint8Array(16).fill(1));
const CALLBACK = endpointId('callback', new Uint8Array(16).fill(2));
const REPLAY = replayId(new Uint8Array(16).fill(3));
const request = { kind: 'request', requestId } as const;

/** Every kind of row that can be parked, and what the list says of it. */
const PARKED: [RowKey & Record<string, unknown>, Lane, object][] = [
  [requestKey(requestId), 'poll', { kind: 'poll', requestId }],
  [copyKey(requestId), 'copy', { kind: 'copy', requestId }],
  [segmentKey(requestId, 1, 2), 'copy', { kind: 'copy', requestId }],
  [outboxKey(request), 'dispatch', { kind: 'events', requestId }],
  [{ ...outboxKey({ ...request, requestId: uuid('purged') }), purge: true }, 'dispatch', { kind: 'purge' }],
  [
    { pk: `DEL#${ENDPOINT}`, sk: 'msg_1', id: 'dlv_1', endpointId: ENDPOINT },
    'deliver-slow',
    { kind: 'delivery', deliveryId: 'dlv_1', endpointId: ENDPOINT },
  ],
  [endpointKey(ENDPOINT), 'deliver-slow', { kind: 'backlog', endpointId: ENDPOINT }],
  [endpointKey(CALLBACK), 'deliver-slow', { kind: 'backlog', endpointId: CALLBACK }],
  [
    outboxKey({ kind: 'endpoint', endpointId: ENDPOINT }),
    'dispatch',
    { kind: 'events', endpointId: ENDPOINT },
  ],
  [
    { ...replayKey(REPLAY), endpointId: ENDPOINT },
    'deliver-slow',
    { kind: 'replay', replayId: REPLAY, endpointId: ENDPOINT },
  ],
  [cancellationKey(ENDPOINT), 'deliver-slow', { kind: 'cancellation', endpointId: ENDPOINT }],
  [urlTestKey(ENDPOINT), 'deliver-slow', { kind: 'url-test', endpointId: ENDPOINT }],
];

test('every kind of parked row is listed with its reason, and released by its id', async () => {
  const { table } = database();
  const api = createClient(database());
  const since = api.clock.now;
  for (const [row, lane] of PARKED) {
    const parked = { reason: 'broken', since, lane };
    await table.write({ put: { ...row, lane: 'parked', dueAt: since, parked } });
  }
  const { body } = await api.call('GET', '/v1/parked?limit=100', { key: READER });
  expect(body.items).toHaveLength(PARKED.length);
  expect(body.items).toEqual(
    expect.arrayContaining(
      PARKED.map(([, , said]) =>
        expect.objectContaining({ ...said, reason: 'broken', since: new Date(since).toISOString() }),
      ),
    ),
  );

  for (const { id } of body.items) {
    expect((await api.call('POST', `/v1/parked/${id}/release`)).status).toBe(202);
    expect((await api.call('POST', `/v1/parked/${id}/release`)).status).toBe(404);
  }
  await expectHintsToNameRows(table, api.hints);
  for (const [key, lane] of PARKED) {
    const row = await table.get<RowKey & Work>(key);
    expect(row).toMatchObject({ lane });
    expect(row).not.toHaveProperty('parked');
  }
  expect((await api.call('GET', '/v1/parked')).body.items).toEqual([]);
});

test.each([
  'x',
  'prk_',
  `prk_${Buffer.from('["",""]').toString('base64url')}`,
  `prk_${Buffer.from(JSON.stringify(['REQ', 's'.repeat(1_100)])).toString('base64url')}`,
  `prk_${Buffer.from('{"length": 2}').toString('base64url')}`,
])('an id that is none is not found: %s', async (id) => {
  const api = createClient(database());
  expect((await api.call('POST', `/v1/parked/${id}/release`)).status).toBe(404);
});
