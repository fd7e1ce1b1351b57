import { expect, test } from 'vitest';
import { isFilterEntry, matches, sameFilter } from '../../../../lambdas/domain/events/event-filter.ts';

test.each([
  { filter: ['video.*'], type: 'video.stored', matched: true },
  { filter: ['video.*'], type: 'progress.updated', matched: false },
  { filter: ['video.stored'], type: 'video.stored', matched: true },
  { filter: ['video.stored'], type: 'video.store_failed', matched: false },
  { filter: ['progress.*', 'endpoint.test'], type: 'endpoint.test', matched: true },
  { filter: [], type: 'video.stored', matched: false },
])('$filter and $type: $matched', ({ filter, type, matched }) => {
  expect(matches(filter, type)).toBe(matched);
});

test.each(['video', 'video.', 'video.x', '*', 'vid.*', 'video.*.*', ''])('%s can match nothing', (entry) => {
  expect(isFilterEntry(entry)).toBe(false);
});

test('filters are equal whatever the order and repetitions of their entries', () => {
  expect(sameFilter(['video.*', 'progress.*'], ['progress.*', 'video.*', 'video.*'])).toBe(true);
  expect(sameFilter(['video.*'], ['video.*', 'progress.*'])).toBe(false);
});
