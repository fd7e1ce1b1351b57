import { expect, test } from 'vitest';
import { endpointId } from '../../../lambdas/domain/ids.ts';
import {
  backlogEntryKey,
  backlogPartition,
  callbackErasureKey,
  callbackSecretKey,
  callbackUseKey,
  cancellationKey,
  copyKey,
  deliveryKey,
  endpointCountsKey,
  endpointKey,
  eventKey,
  limiterKey,
  linkSecretKey,
  listAt,
  metaKey,
  objectKey,
  originKey,
  outboxKey,
  replayDoneKey,
  replayKey,
  requestCountsKey,
  requestIdOf,
  requestKey,
  segmentKey,
  segmentsPrefix,
  sourceOf,
  upstreamCheckKey,
  upstreamPauseKey,
  urlTestKey,
  waitKey,
  workOf,
} from '../../../lambdas/domain/rows.ts';
import type { RowKey } from '../../../lambdas/domain/work.ts';

const ACCOUNT = endpointId('account', new Uint8Array(16).fill(1));
const CALLBACK = endpointId('callback', new Uint8Array(16).fill(2));
const request = { kind: 'request', requestId: 'r' } as const;
const endpoint = { kind: 'endpoint', endpointId: ACCOUNT } as const;
const gate = endpointKey(ACCOUNT);

/** Each key as it is in the tables of those who run an earlier release. */
const KEYS: readonly [key: () => RowKey, pk: string, sk: string][] = [
  [() => requestKey('r'), 'REQ#r', 'REQUEST'],
  [() => metaKey('r'), 'REQ#r', 'META'],
  [() => copyKey('r'), 'REQ#r', 'COPY'],
  [() => segmentKey('r', 2, 7), 'REQ#r', 'SEGMENT#2#00007'],
  [() => objectKey('b', 'a/v.mp4'), 'KEY#b/a/v.mp4', 'KEY'],
  [() => eventKey(request, 12), 'REQ#r', 'EVENT#0000000012'],
  [() => eventKey(endpoint, 12), `ENDPOINT#${ACCOUNT}`, 'EVENT#0000000012'],
  [() => outboxKey(request), 'REQ#r', 'OUTBOX'],
  [() => outboxKey(endpoint), `ENDPOINT#${ACCOUNT}`, 'OUTBOX'],
  [() => requestCountsKey(86_400, 3), 'REQUEST-COUNTS', '000000086400#3'],
  [() => endpointKey(ACCOUNT), 'ENDPOINT', ACCOUNT],
  [() => endpointKey(CALLBACK), `CALLBACK#${CALLBACK}`, 'ENDPOINT'],
  [() => callbackUseKey(CALLBACK, 'r'), `CALLBACK#${CALLBACK}`, 'REQ#r'],
  [() => callbackErasureKey(CALLBACK), `ERASURE#${CALLBACK}`, 'ORDER'],
  [() => deliveryKey(ACCOUNT, 'msg_1'), `DEL#${ACCOUNT}`, 'msg_1'],
  [() => originKey('https://a.example'), 'ORIGIN#https://a.example', 'ORIGIN'],
  [
    () => backlogEntryKey(backlogPartition(gate), { eventId: 'msg_1' }),
    `BACKLOG#ENDPOINT#${ACCOUNT}`,
    'msg_1',
  ],
  [
    () => backlogEntryKey(backlogPartition(gate, true), { eventId: 'msg_1' }),
    `REPLAY-BACKLOG#ENDPOINT#${ACCOUNT}`,
    'msg_1',
  ],
  [() => limiterKey(gate), `LIMITER#ENDPOINT#${ACCOUNT}`, 'LIMITER#'],
  [() => limiterKey(gate, 'slow'), `LIMITER#ENDPOINT#${ACCOUNT}`, 'LIMITER#slow'],
  [() => waitKey(ACCOUNT, 1), 'WAIT', `${ACCOUNT}#1`],
  [() => cancellationKey(ACCOUNT), `CANCELLATION#${ACCOUNT}`, 'ORDER'],
  [() => urlTestKey(ACCOUNT), `URL-TEST#${ACCOUNT}`, 'TEST'],
  [() => replayKey('rpl_1'), 'REPLAY#rpl_1', 'REPLAY'],
  [() => replayDoneKey('rpl_1', 4), 'REPLAY#rpl_1', 'DONE#4'],
  [() => endpointCountsKey, 'ENDPOINT-COUNTS', 'COUNTS'],
  [() => upstreamPauseKey, 'UPSTREAM-PAUSE', 'PAUSE'],
  [() => upstreamCheckKey, 'UPSTREAM-CHECK', 'CHECK'],
  [() => callbackSecretKey, 'CALLBACK-SECRET', 'SECRET'],
  [() => linkSecretKey, 'LINK-SECRET', 'SECRET'],
];

test.each(KEYS)('the key of a row stays where earlier releases wrote it: %s', (key, pk, sk) => {
  expect(key()).toEqual({ pk, sk });
});

test('no two rows share a key', () => {
  expect(new Set(KEYS.map(([, pk, sk]) => `${pk}\n${sk}`)).size).toBe(KEYS.length);
});

test.each<[key: () => RowKey, ReturnType<typeof workOf>]>([
  [() => requestKey('r'), { kind: 'poll', requestId: 'r' }],
  [() => copyKey('r'), { kind: 'copy', requestId: 'r' }],
  [() => segmentKey('r', 1, 1), { kind: 'copy', requestId: 'r' }],
  [() => outboxKey(request), { kind: 'outbox', source: request }],
  [() => outboxKey(endpoint), { kind: 'outbox', source: endpoint }],
  [() => deliveryKey(ACCOUNT, 'msg_1'), { kind: 'delivery', endpointId: ACCOUNT, eventId: 'msg_1' }],
  [() => replayKey('rpl_1'), { kind: 'replay', replayId: 'rpl_1' }],
  [() => cancellationKey(ACCOUNT), { kind: 'cancellation', endpointId: ACCOUNT }],
  [() => callbackErasureKey(CALLBACK), { kind: 'erasure', endpointId: CALLBACK }],
  [() => urlTestKey(ACCOUNT), { kind: 'url-test', endpointId: ACCOUNT }],
  [() => endpointKey(ACCOUNT), { kind: 'gate', endpointId: ACCOUNT }],
  [() => endpointKey(CALLBACK), { kind: 'gate', endpointId: CALLBACK }],
  [() => upstreamCheckKey, { kind: 'upstream-check' }],
])('a due row tells by its key what work it is: %s', (key, work) => {
  expect(workOf(key())).toEqual(work);
});

test('the partition of events leads back to their source, and that of a request to its id', () => {
  expect(sourceOf(eventKey(request, 1).pk)).toEqual(request);
  expect(sourceOf(eventKey(endpoint, 1).pk)).toEqual(endpoint);
  expect(requestIdOf(copyKey('a#b'))).toBe('a#b');
  expect(requestIdOf({ pk: 'WAIT', sk: '' })).toBe('');
  expect(requestIdOf({ pk: '#a', sk: '' })).toBe('a');
  expect(sourceOf('ENDPOINT')).toEqual({ kind: 'endpoint', endpointId: '' });
});

test('events, segments and lists sort as their numbers do', () => {
  expect(eventKey(request, 9).sk < eventKey(request, 10).sk).toBe(true);
  expect(segmentKey('r', 1, 9).sk < segmentKey('r', 1, 10).sk).toBe(true);
  expect(listAt(999, 'b') < listAt(1_000, 'a')).toBe(true);
  expect(listAt(5, 'a')).toBe('000000000000005#a');
});

test('the segments of one generation, or of all, begin alike', () => {
  const { sk } = segmentKey('r', 3, 1);
  expect(sk.startsWith(segmentsPrefix())).toBe(true);
  expect(sk.startsWith(segmentsPrefix(3))).toBe(true);
  expect(sk.startsWith(segmentsPrefix(1))).toBe(false);
});
