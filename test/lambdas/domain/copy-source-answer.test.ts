import { expect, test } from 'vitest';
import { rangeFault } from '../../../lambdas/domain/source-answer.ts';
import { notAVideo, videoType } from '../../../lambdas/domain/video-type.ts';

const range = { start: 100, length: 50 };
const known = { size: 1000, etag: '"v1"' };
const good = { 'content-range': 'bytes 100-149/1000', 'content-length': '50', etag: '"v1"' };

test('an answer that is the range has no fault', () => {
  expect(rangeFault(206, good, range, known, 0)).toBeUndefined();
  expect(rangeFault(206, { ...good, 'content-range': 'bytes 100-149/*' }, range, known, 0)).toBeUndefined();
});

test.each([
  ['the whole', 200, good, 'broken'],
  ['another ETag', 206, { ...good, etag: '"v2"' }, 'changed'],
  ['no ETag any more', 206, { ...good, etag: undefined }, 'changed'],
  ['another total', 206, { ...good, 'content-range': 'bytes 100-149/999' }, 'changed'],
  ['another start', 206, { ...good, 'content-range': 'bytes 0-49/1000' }, 'broken'],
  ['less', 206, { ...good, 'content-range': 'bytes 100-148/1000' }, 'broken'],
  ['another length', 206, { ...good, 'content-length': '49' }, 'broken'],
  ['no range', 206, { etag: '"v1"' }, 'broken'],
  ['gzip', 206, { ...good, 'content-encoding': 'gzip' }, 'broken'],
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

test.each([
  ['text/html; charset=utf-8', ''],
  ['application/json', ''],
  ['application/octet-stream', '<!DOCTYPE html><html>'],
  ['', '\n <html>'],
  [undefined, '{"message": "gone"}'],
  ['binary/octet-stream', '\ufeff<?xml version="1.0"?><Error>'],
])('%s that begins with %j is no video', (type, head) => {
  expect(notAVideo(type, Buffer.from(head))).toMatch(/not a video/);
});

test.each([
  ['video/mp4', '<!doctype'],
  ['application/octet-stream', '\0\0\0\x20ftypisom'],
  [undefined, '\x47\x40\x11\x10'],
])('%s that begins with %j may be one', (type, head) => {
  expect(notAVideo(type, Buffer.from(head, 'latin1'))).toBeUndefined();
});

test.each([
  ['video/x-matroska', '', 'video/x-matroska'],
  ['application/octet-stream', '\0\0\0\x14ftypqt  ', 'video/quicktime'],
  ['application/octet-stream', '\0\0\0\x20ftypisom', 'video/mp4'],
  ['', '\x1aE\xdf\xa3....B\x82\x84webm', 'video/webm'],
  [undefined, '\x1aE\xdf\xa3....matroska', 'video/x-matroska'],
  [undefined, 'RIFF\0\0\0\0AVI ', 'video/x-msvideo'],
  ['application/octet-stream', 'unknown', 'video/mp4'],
])('%s that begins with %j is stored as %s', (type, head, stored) => {
  expect(videoType(type, Buffer.from(head, 'latin1'))).toBe(stored);
});
