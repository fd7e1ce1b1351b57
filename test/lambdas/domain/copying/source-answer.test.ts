import { expect, test } from 'vitest';
import { encodingFault, rangeFault } from '../../../../lambdas/domain/copying/source-answer.ts';

const range = { start: 100, length: 50 };
const known = { size: 1000, etag: '"v1"' };
const good = { 'content-range': 'bytes 100-149/1000', 'content-length': '50', etag: '"v1"' };

test('an answer that is the range has no fault', () => {
  expect(rangeFault(206, good, range, known, 0)).toBeUndefined();
  expect(rangeFault(206, { ...good, 'content-range': 'bytes 100-149/*' }, range, known, 0)).toBeUndefined();
});

test.each([
  ['the whole', 200, good, 'unranged'],
  ['another ETag', 206, { ...good, etag: '"v2"' }, 'changed'],
  ['no ETag any more', 206, { ...good, etag: undefined }, 'changed'],
  ['another total', 206, { ...good, 'content-range': 'bytes 100-149/999' }, 'changed'],
  ['another start', 206, { ...good, 'content-range': 'bytes 0-49/1000' }, 'unranged'],
  ['less', 206, { ...good, 'content-range': 'bytes 100-148/1000' }, 'unranged'],
  ['another length', 206, { ...good, 'content-length': '49' }, 'unranged'],
  ['no range', 206, { etag: '"v1"' }, 'unranged'],
  ['gzip', 206, { ...good, 'content-encoding': 'gzip' }, 'unusable'],
  ['202', 202, {}, 'busy'],
  ['204', 204, {}, 'busy'],
  ['a failed precondition', 412, {}, 'changed'],
  ['a range beyond its end', 416, {}, 'changed'],
  ['401', 401, {}, 'refused'],
  ['403', 403, {}, 'refused'],
  ['404', 404, {}, 'refused'],
  ['410', 410, {}, 'refused'],
  ['429', 429, {}, 'busy'],
  ['500', 500, {}, 'busy'],
  ['a redirect', 302, { location: '/x' }, 'moved'],
  ['a redirect to nowhere', 302, {}, 'refused'],
])('%s is a fault of its kind', (_name, status, headers, kind) => {
  expect(rangeFault(status, headers, range, known, 0)?.kind).toBe(kind);
});

test('a source that is busy says how long', () => {
  expect(rangeFault(503, { 'retry-after': '7' }, range, known, 0)).toMatchObject({
    kind: 'busy',
    retryAfterMs: 7000,
  });
});

test('without an ETag, another time of the last change is other bytes', () => {
  const changed = 'Mon, 23 Nov 2026 20:00:01 GMT';
  const before = { size: 1000, lastModified: 'Mon, 23 Nov 2026 20:00:00 GMT' };
  const answer = { 'content-range': 'bytes 100-149/1000', 'last-modified': changed };
  expect(rangeFault(206, answer, range, before, 0)).toMatchObject({ kind: 'changed' });
  expect(rangeFault(206, answer, range, { ...before, lastModified: changed }, 0)).toBeUndefined();
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
