import { expect, test } from 'vitest';
import { deliveryId, endpointId, eventId } from '../../../lambdas/domain/ids.ts';
import { idsOf } from '../../../lambdas/domain/row-ids.ts';
import {
  callbackErasureKey,
  cancellationKey,
  copyKey,
  deliveryKey,
  endpointKey,
  outboxKey,
  replayKey,
  requestKey,
  segmentKey,
  upstreamCheckKey,
  urlTestKey,
} from '../../../lambdas/domain/rows.ts';

const REQUEST = '01234567-89ab-cdef-0123-456789abcdef';
const ACCOUNT = endpointId('account', new Uint8Array(16).fill(1));
const CALLBACK = endpointId('callback', new Uint8Array(16).fill(2));
const OF_REQUEST = eventId({ occurredAt: 1, source: { kind: 'request', requestId: REQUEST }, position: 2 });
const OF_ENDPOINT = eventId({
  occurredAt: 1,
  source: { kind: 'endpoint', endpointId: CALLBACK },
  position: 2,
});

test.each([
  ['a request', requestKey(REQUEST), { requestId: REQUEST }],
  ['a copy', copyKey(REQUEST), { requestId: REQUEST }],
  ['a segment of one', segmentKey(REQUEST, 1, 7), { requestId: REQUEST }],
  ['the outbox of a request', outboxKey({ kind: 'request', requestId: REQUEST }), { requestId: REQUEST }],
  ['that of an endpoint', outboxKey({ kind: 'endpoint', endpointId: ACCOUNT }), { endpointId: ACCOUNT }],
  [
    "a delivery of a request's event",
    deliveryKey(ACCOUNT, OF_REQUEST),
    {
      requestId: REQUEST,
      eventId: OF_REQUEST,
      endpointId: ACCOUNT,
      deliveryId: deliveryId(ACCOUNT, OF_REQUEST),
    },
  ],
  [
    "a delivery of an endpoint's event",
    deliveryKey(ACCOUNT, OF_ENDPOINT),
    { eventId: OF_ENDPOINT, endpointId: ACCOUNT, deliveryId: deliveryId(ACCOUNT, OF_ENDPOINT) },
  ],
  ['a gate', endpointKey(ACCOUNT), { endpointId: ACCOUNT }],
  ['the gate of a callback', endpointKey(CALLBACK), { endpointId: CALLBACK }],
  ['a replay', { ...replayKey('rpl_1'), endpointId: ACCOUNT }, { replayId: 'rpl_1', endpointId: ACCOUNT }],
  ['a replay of which only the key is known', replayKey('rpl_1'), { replayId: 'rpl_1' }],
  ['a cancellation', cancellationKey(ACCOUNT), { endpointId: ACCOUNT }],
  ['the erasure of a callback', callbackErasureKey(CALLBACK), { endpointId: CALLBACK }],
  ['the test of a URL', urlTestKey(ACCOUNT), { endpointId: ACCOUNT }],
  ['the check of upstream', upstreamCheckKey, {}],
])('the log names what a row is about: %s', (_name, row, ids) => {
  expect(idsOf(row)).toEqual(ids);
});
