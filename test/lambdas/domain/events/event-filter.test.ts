import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  asksForProgress,
  isFilterEntry,
  matches,
  sameFilter,
} from '../../../../lambdas/domain/events/event-filter.ts';
import { EVENT_TYPES } from '../../../../lambdas/domain/events/event-types.ts';

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

test.each([...EVENT_TYPES, 'video.*', 'progress.*', 'endpoint.*'])('%s can match something', (entry) => {
  expect(isFilterEntry(entry)).toBe(true);
});

test.each([
  [[['video.*'], ['progress.updated']], true],
  [[['progress.*'], []], true],
  [[['video.*', 'endpoint.*'], ['video.stored']], false],
  [[], false],
])('progress is observed when one of many asks for it: %j', (filters, asked) => {
  expect(asksForProgress(filters.map((events) => ({ events })))).toBe(asked);
});

test('filters are equal whatever the order and repetitions of their entries', () => {
  expect(sameFilter(['video.*', 'progress.*'], ['progress.*', 'video.*', 'video.*'])).toBe(true);
  expect(sameFilter(['video.*'], ['video.*', 'progress.*'])).toBe(false);
  expect(sameFilter(['video.*', 'progress.*'], ['video.*'])).toBe(false);
  expect(sameFilter(['video.*', 'endpoint.*'], ['video.*', 'progress.*'])).toBe(false);
});

test('the README names every type of event', () => {
  const readme = readFileSync(join(import.meta.dirname, '../../../../README.md'), 'utf8');
  const named = (type: string) =>
    readme.includes(`\`${type}\``) || readme.includes(`\`.${type.split('.')[1]}\``);
  expect(EVENT_TYPES.filter((type) => !named(type))).toEqual([]);
});
