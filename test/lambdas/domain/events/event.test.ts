import { expect, test } from 'vitest';
import { numberEvents } from '../../../../lambdas/domain/events/event.ts';
import { REQUEST_ID, START } from '../../../support/rows.ts';

const source = { kind: 'request', requestId: REQUEST_ID } as const;

test('events are numbered on from the last, without gaps', () => {
  const drafts = [
    { type: 'video.accepted' as const, data: {} },
    { type: 'video.complete' as const, data: {} },
  ];
  const { rows, counters } = numberEvents(source, { sequence: 4, position: 9 }, drafts, START);
  expect(rows.map((row) => [row.data.sequence, row.position])).toEqual([
    [5, 10],
    [6, 11],
  ]);
  expect(counters).toEqual({ sequence: 6, position: 11, lastEventAt: START });
});

test('progress takes a place but no number, and carries the last one', () => {
  const drafts = [{ type: 'progress.updated' as const, data: { progress: 5 }, numbered: false as const }];
  const { rows, counters } = numberEvents(source, { sequence: 4, position: 9 }, drafts, START);
  expect(rows[0]?.data.sequence).toBe(4);
  expect(counters).toEqual({ sequence: 4, position: 10, lastEventAt: START });
});

test('no event is dated before the last one, though the clock that numbers it is behind', () => {
  const last = { sequence: 4, position: 9, lastEventAt: START + 20_000 };
  const { rows, counters } = numberEvents(source, last, [{ type: 'video.processing', data: {} }], START);
  expect(rows[0]?.occurredAt).toBe(START + 20_000);
  expect(counters.lastEventAt).toBe(START + 20_000);
});
