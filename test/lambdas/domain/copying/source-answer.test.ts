import { expect, test } from 'vitest';
import { rangeFault } from '../../../../lambdas/domain/copying/source-answer.ts';
import { notAVideo, videoType } from '../../../../lambdas/domain/copying/video-type.ts';

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
  ['binary/octet-stream', Buffer.from('\ufeff<?xml version="1.0"?><Error>').toString('latin1')],
  ['video/mp4', '<!doctype html><title>Sign in</title>'],
  ['video/mp4', '{"message": "gone"}'],
  ['application/octet-stream', 'The link has expired.\n'],
  ['image/png', '\x89PNG\r\n\x1a\n'],
  ['video/mp4', '\xff\xd8\xff\xe0\0\x10JFIF'],
  ['application/octet-stream', '%PDF-1.7'],
  ['video/mp4', 'PK\x03\x04\x14'],
  ['application/zip', '\0\0'],
  ['audio/mpeg', 'ID3\x04\0'],
  ['image/avif', '\0\0\0\x1cftypavif'],
])('%s that begins with %j is no video', (type, head) => {
  expect(notAVideo(type, Buffer.from(head, 'latin1'))).toMatch(/not a video/);
});

test.each([
  ['application/octet-stream', '\0\0\0\x20ftypisom'],
  ['text/plain', '\0\0\0\x20ftypisom'],
  ['video/mp4', '\0\0\0\x20ftypisom'],
  ['video/quicktime', '\0\0\0\x14ftypqt  '],
  ['application/octet-stream', '\0\0\0\x08wide\0\0\0\0mdat'],
  ['video/x-matroska', '\x1aE\xdf\xa3\x01\0\0matroska'],
  ['application/octet-stream', '\x1aE\xdf\xa3\x01\0\0webm'],
  ['', 'RIFF\x24\0\0\0AVI LIST'],
  ['text/vnd.trolltech.linguist', `\x47\x40\0\x10${'\xff'.repeat(184)}\x47`],
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
  ['text/plain', '\0\0\0\x20ftypisom', 'video/mp4'],
  ['text/plain', `\x47\x40\0\x10${'\xff'.repeat(184)}\x47`, 'video/mp2t'],
])('%s that begins with %j is stored as %s', (type, head, stored) => {
  expect(videoType(type, Buffer.from(head, 'latin1'))).toBe(stored);
});
