import { expect, test } from 'vitest';
import {
  encodingFault,
  type Headers,
  isStrong,
  rangeFault,
  refusesRanges,
  type SourceFault,
  statusFault,
} from '../../../../lambdas/domain/copying/source-answer.ts';

const range = { start: 100, length: 50 };
const known = { size: 1000, etag: '"v1"' };
const good = { 'content-range': 'bytes 100-149/1000', 'content-length': '50', etag: '"v1"' };

const changed = (what: string): SourceFault => ({ kind: 'changed', reason: `the source ${what}` });
const anotherRange: SourceFault = {
  kind: 'unranged',
  reason: 'the source answered another range than was asked for',
};
const unreadable: SourceFault = {
  kind: 'unranged',
  reason: 'the source answered 206 without a readable Content-Range',
};
const answered =
  (kind: SourceFault['kind']) =>
  (status: number): [string, number, Headers, SourceFault] => [
    String(status),
    status,
    {},
    { kind, reason: `the source answered ${status}` },
  ];

test('an answer that is the range has no fault', () => {
  expect(rangeFault(206, good, range, known, 0)).toBeUndefined();
  expect(rangeFault(206, { ...good, 'content-range': 'bytes 100-149/*' }, range, known, 0)).toBeUndefined();
});

test.each<[string, number, Headers, SourceFault]>([
  ['the whole', 200, good, { kind: 'unranged', reason: 'the source answered a range with the whole (200)' }],
  ['another ETag', 206, { ...good, etag: '"v2"' }, changed('has other bytes now (ETag)')],
  ['no ETag any more', 206, { ...good, etag: undefined }, changed('has other bytes now (ETag)')],
  ['another total', 206, { ...good, 'content-range': 'bytes 100-149/999' }, changed('has another size now')],
  ['another start', 206, { ...good, 'content-range': 'bytes 99-149/1000' }, anotherRange],
  ['another end', 206, { ...good, 'content-range': 'bytes 100-148/1000' }, anotherRange],
  [
    'another length',
    206,
    { ...good, 'content-length': '49' },
    { kind: 'unranged', reason: 'the source announced 49 bytes for a range of 50' },
  ],
  ['no range', 206, { etag: '"v1"' }, unreadable],
  ['a range behind other words', 206, { ...good, 'content-range': 'x bytes 100-149/1000' }, unreadable],
  ['a range before other words', 206, { ...good, 'content-range': 'bytes 100-149/1000 x' }, unreadable],
  [
    'gzip',
    206,
    { ...good, 'content-encoding': 'gzip' },
    { kind: 'unusable', reason: 'the source serves the video compressed (gzip) only' },
  ],
  ['a failed precondition', 412, {}, changed('has other bytes now (412)')],
  ['a range beyond its end', 416, {}, changed('is shorter now (416)')],
  [
    'a redirect',
    302,
    { location: '/x' },
    { kind: 'moved', reason: 'the source redirects (302)', location: '/x' },
  ],
  ...[201, 202, 204, 299, 408, 425, 429, 500, 503, 599].map(answered('busy')),
  ...[100, 300, 302, 400, 401, 403, 404, 410, 424, 426, 499].map(answered('refused')),
])('%s is a fault of its kind', (_name, status, headers, fault) => {
  expect(rangeFault(status, headers, range, known, 0)).toEqual(fault);
});

test.each([301, 302, 303, 307, 308])('%i leads elsewhere', (status) => {
  expect(statusFault(status, { location: ['/x', '/y'] }, 0)).toMatchObject({ kind: 'moved', location: '/x' });
  expect(statusFault(status, {}, 0)).toMatchObject({ kind: 'refused' });
});

test('a total that either side does not know is not compared, nor is a length that is not said', () => {
  const { 'content-length': _, ...unsized } = good;
  expect(rangeFault(206, unsized, range, { etag: '"v1"' }, 0)).toBeUndefined();
  for (const length of ['many', '50x', 'x50'])
    expect(rangeFault(206, { ...good, 'content-length': length }, range, known, 0)).toBeUndefined();
});

test.each<[number, Headers, boolean]>([
  [400, {}, true],
  [501, {}, true],
  [206, { 'content-type': 'multipart/byteranges; boundary=b' }, true],
  [206, { 'content-type': 'MULTIPART/ByteRanges' }, true],
  [206, { 'content-type': 'multipart/byterangesx' }, false],
  [206, { 'content-type': 'x-multipart/byteranges' }, false],
  [206, {}, false],
  [200, { 'content-type': 'multipart/byteranges' }, false],
  [403, {}, true],
  [500, {}, true],
  [401, {}, false],
  [404, {}, false],
  [429, {}, false],
  [503, {}, false],
])('%i with %j may be for the range alone: %s', (status, headers, refuses) => {
  expect(refusesRanges(status, headers)).toBe(refuses);
});

test.each([
  ['"v1"', true],
  ['W/"v1"', false],
  ['v1"', false],
  [undefined, false],
])('the ETag %s compares strongly: %s', (etag, strong) => {
  expect(isStrong(etag)).toBe(strong);
});

test('a source that is busy says how long', () => {
  expect(rangeFault(503, { 'retry-after': '7' }, range, known, 0)).toMatchObject({
    kind: 'busy',
    retryAfterMs: 7000,
  });
});

test('without an ETag, another time of the last change is other bytes', () => {
  const later = 'Mon, 23 Nov 2026 20:00:01 GMT';
  const before = { size: 1000, lastModified: 'Mon, 23 Nov 2026 20:00:00 GMT' };
  const answer = { 'content-range': 'bytes 100-149/1000', 'last-modified': later };
  expect(rangeFault(206, answer, range, before, 0)).toEqual(changed('has other bytes now (Last-Modified)'));
  expect(rangeFault(206, answer, range, { size: 1000 }, 0)).toBeUndefined();
  expect(rangeFault(206, answer, range, { ...before, lastModified: later }, 0)).toBeUndefined();
  // The ETag decides where there is one.
  expect(rangeFault(206, { ...answer, etag: '"v1"' }, range, { ...before, etag: '"v1"' }, 0)).toBeUndefined();
});

test.each([
  ['identity', undefined],
  ['aws-chunked', undefined],
  ['AWS-Chunked, ', undefined],
  ['utf-8', undefined],
  ['', undefined],
  ['gzip', 'unusable'],
  ['aws-chunked,GZIP', 'unusable'],
  ['br', 'unusable'],
  ['zstd', 'unusable'],
])('the content encoding %j is %s', (encoding, kind) => {
  expect(encodingFault({ 'content-encoding': encoding })?.kind).toBe(kind);
});
