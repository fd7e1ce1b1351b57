import { expect, test } from 'vitest';
import { expectedEnd } from '../../../../lambdas/domain/polling/expected-end.ts';
import { type Observation, observe } from '../../../../lambdas/domain/polling/schedule/observations.ts';

type Poll = readonly [at: number, status: string, progress?: number];

/** When a job ends that was registered at `startedAt`, after polls; all in seconds. */
function endAfter(
  polls: readonly Poll[],
  { startedAt = 0, time }: { startedAt?: number; time?: [number, number] } = {},
): number | undefined {
  const observations = polls.reduce<Observation[]>(
    (known, [at, status, progress]) => observe(known, { at: at * 1_000, status, progress }),
    [],
  );
  const [, status = 'registered', progress] = polls.at(-1) ?? [];
  const end = expectedEnd({
    status,
    progress,
    registeredAt: 0,
    startedAt: startedAt * 1_000,
    statusSince: (observations[0]?.at ?? 0) * 1_000,
    observations,
    ...(time && { estimates: { time } }),
  });
  return end === undefined ? undefined : Math.round(end / 1_000);
}

/** Polls once in ten seconds; each sees ten percent more. */
const steady = (begin: number, end: number): Poll[] =>
  Array.from({ length: (end - begin) / 10 + 1 }, (_, i) => [begin + 10 * i, 'processing', 10 * i]);

test('a job goes on as fast as its progress did', () => {
  expect(endAfter(steady(0, 50))).toBe(100);
});

test('neither a long queue before it nor what was known of an earlier run slows it down', () => {
  expect(endAfter([[3_590, 'requested'], ...steady(3_600, 3_650)])).toBe(3_700);
  expect(endAfter(steady(3_600, 3_650), { startedAt: 3_600 })).toBe(3_700);
});

test('a job that was registered late goes on as fast as since then', () => {
  const late: Poll[] = [
    [1_000, 'processing', 40],
    [1_010, 'processing', 50],
    [1_020, 'processing', 60],
    [1_030, 'processing', 70],
  ];
  expect(endAfter(late, { startedAt: 1_000 })).toBe(1_060);
});

test("upstream's upper estimate stands in until there is enough progress", () => {
  const time: [number, number] = [60, 90];
  expect(endAfter([[10, 'requested']], { time })).toBe(90);
  expect(endAfter([[10, 'processing', 0]], { time, startedAt: 5 })).toBe(95);
  expect(endAfter([[1_000, 'processing', 40]], { time })).toBe(1_054);
  expect(
    endAfter(
      [
        [10, 'requested'],
        [20, 'processing', 19],
      ],
      { time: [30, 40] },
    ),
  ).toBe(52);
  expect(endAfter([[10, 'processing', 0]])).toBeUndefined();
});

test.each([1e300, -5])('an estimate of %d seconds says nothing', (seconds) => {
  expect(endAfter([[10, 'processing', 0]], { time: [seconds, seconds] })).toBeUndefined();
});

test('a progress beyond 100 percent has no end that can be shown, and one below 0 counts as none', () => {
  const end = (progress: number) => endAfter([[10, 'processing', progress]], { time: [60, 90] });
  expect([1e300, 101, -50, -1e300].map(end)).toEqual([undefined, undefined, 90, 90]);
});

test.each(['complete', 'failed', 'canceled', 'canceling', 'lost', 'paused'])(
  'a job that is %s is not on its way',
  (status) => {
    expect(endAfter([[10, status, 50]], { time: [60, 90] })).toBeUndefined();
  },
);
