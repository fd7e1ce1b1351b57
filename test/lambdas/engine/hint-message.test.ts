import fc from 'fast-check';
import { expect, test } from 'vitest';
import { freshDueAt, retryAt } from '../../../lambdas/engine/due-time.ts';
import { decodeHints, delaySeconds, encodeHints, hintGroup } from '../../../lambdas/engine/hint-message.ts';

test.each([
  { wait: -5_000, delay: 0 },
  { wait: 0, delay: 0 },
  { wait: 1, delay: 1 },
  { wait: 1_000, delay: 1 },
  { wait: 1_001, delay: 2 },
  { wait: 900_000, delay: 900 },
  { wait: 900_001, delay: undefined },
])('a row due in $wait ms is hinted with a delay of $delay s', ({ wait, delay }) => {
  expect(delaySeconds(1_000_000 + wait, 1_000_000)).toBe(delay);
});

test('a due time that was used lately is moved by a millisecond', () => {
  expect(freshDueAt(100, 100, 101, undefined)).toBe(102);
  expect(freshDueAt(99.2)).toBe(100);
});

test.each([
  [1, 5_000],
  [2, 10_000],
  [7, 300_000],
  [100, 300_000],
])('work that threw %i times waits %i ms', (claims, wait) => {
  expect(retryAt(claims, 0)).toBe(wait);
});

test('a message of hints is read as it was written', () => {
  const hints = fc.array(fc.record({ pk: fc.string(), sk: fc.string(), dueAt: fc.nat() }));
  fc.assert(
    fc.property(hints, (rows) => {
      expect(decodeHints(encodeHints('copy', rows))).toEqual({ lane: 'copy', hints: rows });
    }),
  );
});

test.each([
  '',
  'null',
  '{}',
  '[]',
  '{"lane":"poll","rows":1}',
  '{"lane":"x","rows":[]}',
  '{"lane":"poll","rows":[[1,2,3]]}',
])('a message that is not ours is refused: %s', (body) => {
  expect(decodeHints(body)).toBeUndefined();
});

test('deliveries of an endpoint are one group of messages, and each gate is one', () => {
  const group = (pk: string, sk: string) => hintGroup('deliver-slow', { pk, sk });
  expect(group('DEL#ep_a', 'msg_1')).toBe(group('DEL#ep_a', 'msg_2'));
  expect(group('ENDPOINT', 'ep_a')).not.toBe(group('ENDPOINT', 'ep_b'));
  expect(group(`ORIGIN#https://${'long.'.repeat(40)}example`, 'HEALTH')).toHaveLength(128);
  expect(hintGroup('poll', { pk: 'REQ#1', sk: 'REQUEST' })).toBeUndefined();
});
