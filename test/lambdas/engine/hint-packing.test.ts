import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Hint, LANES } from '../../../lambdas/domain/work.ts';
import { encodeHints, hintGroup } from '../../../lambdas/engine/hint-message.ts';
import { packHints, shareHints } from '../../../lambdas/engine/hint-packing.ts';

const rows = (count: number, pk: (n: number) => string = (n) => `REQ#${n}`): Hint[] =>
  Array.from({ length: count }, (_, n) => ({ pk: pk(n), sk: 'ROW', dueAt: n }));
const anyRows = fc
  .array(fc.integer({ min: 0, max: 5 }), { maxLength: 300 })
  .map((endpoints) => endpoints.map((endpoint, n) => ({ pk: `DEL#${endpoint}`, sk: `${n}`, dueAt: n })));
const anyLane = fc.constantFrom(...LANES);

test('up to two thousand rows have a message each, more are packed', () => {
  expect(packHints('poll', rows(2_000))).toHaveLength(2_000);
  expect(packHints('poll', rows(20_000))).toHaveLength(2_000);
});

test('long work and slow endpoints get a message a row, however many there are', () => {
  for (const lane of ['copy', 'deliver-slow'] as const) {
    expect(packHints(lane, rows(5_000))).toHaveLength(5_000);
  }
});

test('no row is left out or named twice, and each message is of one group', () => {
  fc.assert(
    fc.property(anyLane, anyRows, (lane, due) => {
      const messages = packHints(lane, due);
      expect(messages.flatMap(({ hints }) => hints).sort((a, b) => a.dueAt - b.dueAt)).toEqual(due);
      for (const { hints, group } of messages) {
        expect(new Set(hints.map((hint) => hintGroup(lane, hint)))).toEqual(new Set([group]));
      }
    }),
  );
});

test('within a group the oldest rows come first', () => {
  fc.assert(
    fc.property(anyRows, (due) => {
      const packed = packHints('deliver', due).flatMap(({ hints }) => hints);
      for (const group of new Set(due.map(({ pk }) => pk))) {
        const times = packed.filter(({ pk }) => pk === group).map(({ dueAt }) => dueAt);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
      }
    }),
  );
});

test('a group with less than an equal share gets all of its hints', () => {
  fc.assert(
    fc.property(anyRows, fc.integer({ min: 1, max: 200 }), (due, most) => {
      const shared = shareHints('deliver', due, most);
      expect(shared).toHaveLength(Math.min(most, due.length));
      const groups = Map.groupBy(due, ({ pk }) => pk);
      for (const [pk, members] of groups) {
        const got = shared.filter((row) => row.pk === pk).length;
        expect(got).toBeGreaterThanOrEqual(Math.min(members.length, Math.floor(most / groups.size)));
      }
    }),
  );
});

test('ten messages of the most rows fit into one call of SQS', () => {
  const long = rows(200_000, () => `DEL#${'x'.repeat(40)}`).map((row) => ({
    ...row,
    sk: 'm'.repeat(60),
    dueAt: 2e12,
  }));
  const bytes = packHints('deliver', long)
    .slice(0, 10)
    .reduce((sum, { hints }) => sum + encodeHints('deliver', hints).length, 0);
  expect(bytes).toBeLessThan(256 * 1024);
});
