import { expect, test } from 'vitest';
import { interleave, releaseTimes } from '../../../../../lambdas/domain/delivering/gate/release-plan.ts';

test('releases are spaced by the interval and end before the look-ahead does', () => {
  expect(releaseTimes(1_000, 2_000, 300)).toEqual([1_000, 1_300, 1_600, 1_900]);
  expect(releaseTimes(1_000, 1_900, 300)).toEqual([1_000, 1_300, 1_600]);
  expect(releaseTimes(2_000, 2_000, 300)).toEqual([]);
  expect(releaseTimes(3_000, 2_000, 300)).toEqual([]);
});

const times = Array.from({ length: 8 }, (_, i) => 10_000 + i * 10);
const names = (of: string) => times.map((_, i) => `${of}${i}`);
const shared = (fresh: string[], replayed: string[]) =>
  interleave(times, 10, fresh, replayed).map(({ entry }) => entry);

test('one release in four is for replayed deliveries, each kind in its order', () => {
  expect(shared(names('n'), names('r'))).toEqual(['r0', 'n0', 'n1', 'n2', 'r1', 'n3', 'n4', 'n5']);
});

test('what one kind does not use of its share goes to the other', () => {
  expect(shared(['n0'], names('r'))).toEqual(['r0', 'n0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6']);
  expect(shared(names('n'), [])).toEqual(names('n'));
  expect(shared(['n0'], ['r0'])).toEqual(['r0', 'n0']);
});

test('the share holds over times that come one by one', () => {
  const owners = times.map((time) => interleave([time], 10, ['n'], ['r'])[0]?.entry);
  expect(owners).toEqual(['r', 'n', 'n', 'n', 'r', 'n', 'n', 'n']);
});
