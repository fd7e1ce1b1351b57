import { describe, expect, test } from 'vitest';
import {
  type CopyRow,
  isCurrent,
  isOwn,
  isSameContent,
  newCopy,
  placed,
  renewedSource,
  type SegmentRow,
  supersededSegment,
} from '../../../../lambdas/domain/copying/copy.ts';
import { copyKey } from '../../../../lambdas/domain/rows.ts';
import { REQUEST_ID, START } from '../../../support/rows.ts';

const SOURCE = { url: 'https://videos.example/a', expiresAt: START + 1_000 };
const IDS = { requestId: REQUEST_ID, copyId: 'copy-1' };
const PLACE = {
  target: { bucket: 'videos', key: 'a.mp4' },
  content: { size: 7, etag: '"a"', contentType: 'video/mp4' },
};
const copy = (changes: Partial<CopyRow> = {}): CopyRow => ({
  ...newCopy(IDS, SOURCE, undefined, START),
  ...changes,
});

describe('a new copy', () => {
  test('is due at once, in its first generation', () => {
    expect(newCopy(IDS, SOURCE, undefined, START)).toEqual({
      ...copyKey(REQUEST_ID),
      ...IDS,
      state: 'pending',
      generation: 1,
      restarts: 0,
      startedAt: START,
      source: { ...SOURCE, receivedAt: START, version: 1 },
      earlier: undefined,
      lane: 'copy',
      dueAt: START,
    });
  });

  test('remembers the video that an earlier run has stored', () => {
    const stored = copy({ state: 'stored', generation: 3, copyId: 'copy-0', ...PLACE });
    expect(newCopy(IDS, SOURCE, stored, START)).toMatchObject({
      generation: 4,
      earlier: { copyId: 'copy-0', ...PLACE },
    });
  });

  test.each(['failed', 'canceled', 'pending', 'copying'] as const)(
    'after one that is %s remembers what that one remembered',
    (state) => {
      const earlier = { copyId: 'copy-0', ...PLACE };
      expect(newCopy(IDS, SOURCE, copy({ state, earlier }), START).earlier).toEqual(earlier);
    },
  );
});

test('a copy has a place once it has looked at its source', () => {
  expect(placed(copy(PLACE))).toEqual(PLACE);
  for (const missing of [{ target: PLACE.target }, { content: PLACE.content }, {}]) {
    expect(() => placed(copy(missing))).toThrow(`the copy of ${REQUEST_ID} has no place yet`);
  }
});

test('a copy knows its objects by its own id', () => {
  expect(isOwn(copy(), { copyId: 'copy-1' })).toBe(true);
  expect(isOwn(copy(), { copyId: 'copy-2' })).toBe(false);
  expect(isOwn(copy(), {})).toBe(false);
});

test('a superseded segment copies nothing more', () => {
  expect(supersededSegment(9)).toEqual({ state: 'superseded', bytesPerSecond: 0, expiresAt: 9 });
});

test.each<[string, Partial<CopyRow>, number, boolean]>([
  ['of the upload at hand', {}, 2, true],
  ['of an earlier upload', {}, 1, false],
  ['of a copy that has ended', { state: 'stored' }, 2, false],
  ['of a copy that has failed', { failure: 'no' }, 2, false],
  ['of a copy that is canceled', { canceled: true }, 2, false],
])('a segment %s is current or not', (_what, changes, generation, expected) => {
  const row = copy({ state: 'copying', generation: 2, ...changes });
  expect(isCurrent(row, { generation } as SegmentRow)).toBe(expected);
});

test.each([
  ['size and ETag', { size: 7, etag: '"a"' }, { size: 7, etag: '"a"' }, true],
  ['another ETag', { size: 7, etag: '"a"' }, { size: 7, etag: '"b"' }, false],
  ['another size', { size: 7, etag: '"a"' }, { size: 8, etag: '"a"' }, false],
  ['no size', { etag: '"a"' }, { etag: '"a"' }, false],
  ['size and date', { size: 7, lastModified: 'Mon' }, { size: 7, lastModified: 'Mon' }, true],
  ['another date', { size: 7, lastModified: 'Mon' }, { size: 7, lastModified: 'Tue' }, false],
  ['neither ETag nor date', { size: 7 }, { size: 7 }, false],
  [
    'an ETag, whatever the date',
    { size: 7, etag: '"a"', lastModified: 'Mon' },
    { size: 7, etag: '"a"', lastModified: 'Tue' },
    true,
  ],
])('the same content is told by %s', (_what, earlier, now, expected) => {
  expect(isSameContent({ contentType: 'video/mp4', ...earlier }, now)).toBe(expected);
});

describe('a fresh URL', () => {
  const fresh = { url: 'https://videos.example/b', expiresAt: START + 9_000 };
  const unchanged = [
    { attribute: 'generation', is: '=', value: 1 },
    { attribute: 'source.version', is: '=', value: 1 },
    { attribute: 'state', is: '=', value: 'pending' },
  ];

  test('takes the place of the one before, while that is what is there', () => {
    expect(renewedSource(copy(), fresh, START + 5)).toEqual({
      set: { source: { ...fresh, receivedAt: START + 5, version: 2 } },
      remove: ['urlWantedSince'],
      if: unchanged,
    });
  });

  test('that upstream does not have ends the wait for it', () => {
    expect(renewedSource(copy(), undefined, START)).toEqual({
      set: { sourceGone: true },
      remove: ['urlWantedSince'],
      if: unchanged,
    });
  });

  test('is of use to a copy that is under way', () => {
    expect(renewedSource(copy({ state: 'copying' }), fresh, START)).toBeDefined();
    for (const ended of [
      { state: 'stored' },
      { state: 'failed' },
      { state: 'canceled' },
      { canceled: true },
      { failure: 'no' },
    ] as const) {
      expect(renewedSource(copy(ended), fresh, START), JSON.stringify(ended)).toBeUndefined();
    }
  });
});
