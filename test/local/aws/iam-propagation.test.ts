import { expect, it } from 'vitest';
import { iamPropagation } from '../../../local/aws/iam-propagation.ts';
import { seededRandom } from '../../../local/aws/random.ts';

it('policies begin to hold within the time, each function at its own, and then for good', () => {
  let now = 0;
  const isSettled = iamPropagation(60_000, seededRandom(2), () => now);
  const share = (caller: string) =>
    Array.from({ length: 200 }, () => isSettled(caller)).filter(Boolean).length / 200;
  const callers = ['api', 'poll', 'copy', 'deliver'];
  for (const caller of callers) {
    expect(share(caller)).toBeGreaterThan(0.3);
    expect(share(caller)).toBeLessThan(0.7);
  }
  now = 30_000;
  const halfway = callers.map(share);
  expect(halfway.some((settled) => settled === 1)).toBe(true);
  expect(halfway.some((settled) => settled < 1)).toBe(true);
  now = 60_000;
  for (const caller of callers) expect(share(caller)).toBe(1);
});

it('without a delay they hold at once', () => {
  expect(iamPropagation(0, seededRandom(1))('api')).toBe(true);
});
