import { expect, test } from 'vitest';
import type { DeliveryRow } from '../../../../lambdas/domain/delivering/delivery.ts';
import { isReplayed, type ReplayRow, replayState } from '../../../../lambdas/domain/delivering/replay.ts';

test.each([
  ['failed', true, true],
  ['delivered', true, false],
  ['canceled', false, false],
  ['pending', false, false],
  ['held', false, false],
])('a delivery that is %s is replayed by all (%s) or by failed (%s)', (state, byAll, byFailed) => {
  const row = { state } as DeliveryRow;
  expect(isReplayed({ of: 'all' } as ReplayRow, row)).toBe(byAll);
  expect(isReplayed({ of: 'failed' } as ReplayRow, row)).toBe(byFailed);
});

test('a replay of a type leaves the others out', () => {
  const row = { state: 'failed', type: 'video.stored' } as DeliveryRow;
  const isReplayedBy = (type: string) => isReplayed({ of: 'failed', type } as ReplayRow, row);
  expect([isReplayedBy('video.stored'), isReplayedBy('video.*'), isReplayedBy('video.complete')]).toEqual([
    true,
    true,
    false,
  ]);
});

test.each([
  [undefined, 5, 5, 'queueing'],
  [true, 5, 4, 'sending'],
  [true, 5, 5, 'done'],
  [true, 0, 0, 'done'],
] as const)(
  'a replay with all queued: %s, and %i queued of which %i ended is %4$s',
  (queuedAll, queued, done, state) => {
    expect(replayState({ queuedAll, queued } as ReplayRow, done)).toBe(state);
  },
);
