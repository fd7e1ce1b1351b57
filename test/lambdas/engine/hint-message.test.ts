import fc from 'fast-check';
import { expect, test } from 'vitest';
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
  '{"rows":[]}',
  '{"lane":"poll","rows":[1]}',
  '{"lane":"poll","rows":[[1,"S",3]]}',
  '{"lane":"poll","rows":[["P",2,3]]}',
  '{"lane":"poll","rows":[["P","S","3"]]}',
  '{"lane":"poll","rows":[["P","S"]]}',
  '1',
])('a message that is not ours is refused: %s', (body) => {
  expect(decodeHints(body)).toBeUndefined();
});

test('deliveries of an endpoint are one group of messages, and each gate is one', () => {
  const group = (pk: string, sk: string) => hintGroup('deliver-slow', { pk, sk });
  expect(group('DEL#ep_a', 'msg_1')).toBe(group('DEL#ep_a', 'msg_2'));
  expect(group('ENDPOINT', 'ep_a')).not.toBe(group('ENDPOINT', 'ep_b'));
  expect(group(`ORIGIN#https://${'long.'.repeat(40)}example`, 'HEALTH')).toHaveLength(128);
  expect(hintGroup('deliver', { pk: 'DEL#ep_a', sk: 'msg_1' })).toBe('DEL#ep_a');
  expect(group('ENDPOINT', 'ep_a')).toBe('ENDPOINT#ep_a');
  expect(hintGroup('poll', { pk: 'REQ#1', sk: 'REQUEST' })).toBeUndefined();
});
