import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeBase32 } from '../../../lambdas/domain/base32.ts';
import {
  deliveryId,
  type EventAddress,
  endpointId,
  eventId,
  firstEventId,
  isCallbackId,
  isEndpointId,
  isReplayId,
  parseDeliveryId,
  parseEventId,
  replayId,
} from '../../../lambdas/domain/ids.ts';

const endpoint = fc
  .tuple(
    fc.constantFrom('account' as const, 'callback' as const),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  )
  .map(([kind, identity]) => endpointId(kind, identity));
const address: fc.Arbitrary<EventAddress> = fc.record({
  occurredAt: fc.nat(2 ** 45),
  source: fc.oneof(
    fc.uuid().map((requestId) => ({ kind: 'request' as const, requestId })),
    endpoint.map((id) => ({ kind: 'endpoint' as const, endpointId: id })),
  ),
  position: fc.nat(2 ** 32 - 1),
});

test('an event id leads back to the place of its event', () => {
  fc.assert(
    fc.property(address, (of) => {
      expect(parseEventId(eventId(of))).toEqual(of);
    }),
  );
});

test('event ids sort by time', () => {
  fc.assert(
    fc.property(address, address, (a, b) => {
      fc.pre(a.occurredAt < b.occurredAt);
      expect(eventId(a) < eventId(b)).toBe(true);
    }),
  );
});

test('a delivery id leads back to its event and endpoint', () => {
  fc.assert(
    fc.property(address, endpoint, (of, to) => {
      const event = eventId(of);
      expect(parseDeliveryId(deliveryId(to, event))).toEqual({ endpointId: to, eventId: event });
    }),
  );
});

test.each(['', 'msg_', 'msg_u', 'dlv_0000', 'ep_a', `msg_${'0'.repeat(43)}u`, `ep_a${'z'.repeat(26)}`])(
  'what is not an id of ours is none: %s',
  (text) => {
    expect(parseEventId(text)).toBeUndefined();
    expect(parseDeliveryId(text)).toBeUndefined();
    expect(isEndpointId(text)).toBe(false);
  },
);

test('a replay id is one, and no other id is', () => {
  const id = replayId(new Uint8Array(20).fill(9));
  expect(id).toMatch(/^rpl_[0-9a-z]{26}$/);
  expect(isReplayId(id)).toBe(true);
  for (const other of [
    '',
    'rpl_',
    'rpl_x',
    `${id}0`,
    id.slice(4),
    `msg_${id.slice(4)}`,
    `${id.slice(4)}rpl_`,
  ])
    expect(isReplayId(other), other).toBe(false);
});

test('the id of an endpoint says whether it is a callback or account-wide', () => {
  const bytes = new Uint8Array(16).fill(3);
  expect([endpointId('callback', bytes), endpointId('account', bytes)].map(isCallbackId)).toEqual([
    true,
    false,
  ]);
  expect([endpointId('callback', bytes), endpointId('account', bytes)].map(isEndpointId)).toEqual([
    true,
    true,
  ]);
});

test('an id of one kind is not one of another, even at the same length', () => {
  const endpoint = endpointId('account', new Uint8Array(16).fill(3));
  const event = eventId({ occurredAt: 1, source: { kind: 'endpoint', endpointId: endpoint }, position: 1 });
  const delivery = deliveryId(endpoint, event);
  expect(parseEventId(`dlv_${event.slice(4)}`)).toBeUndefined();
  expect(parseDeliveryId(`msg_${delivery.slice(4)}`)).toBeUndefined();
  // A source of no kind, and a delivery to what is no endpoint.
  const strange = new Uint8Array(27).fill(1).fill(3, 6, 7);
  expect(parseEventId(`msg_${encodeBase32(strange)}`)).toBeUndefined();
  for (const kind of [0, 3])
    expect(parseDeliveryId(`dlv_${encodeBase32(new Uint8Array(44).fill(kind, 0, 1))}`)).toBeUndefined();
});

test('an event id has no full stop, as Standard Webhooks demands', () => {
  fc.assert(
    fc.property(address, (of) => {
      expect(eventId(of)).toMatch(/^msg_[0-9a-z]+$/);
    }),
  );
});

test('the first id of a time is before each id of that time, and after each of the time before', () => {
  const start = 1_760_000_000_000;
  const source = { kind: 'request', requestId: '1d8c3b7e-9a52-4f64-8f0b-2d6a7c9e4b13' } as const;
  expect(firstEventId(start) <= eventId({ occurredAt: start, source, position: 1 })).toBe(true);
  expect(firstEventId(start) > eventId({ occurredAt: start - 1, source, position: 9 })).toBe(true);
  expect(firstEventId(-5)).toBe(firstEventId(0));
});
