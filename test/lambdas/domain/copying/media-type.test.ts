import { expect, test } from 'vitest';
import { extensionOf, mediaType, notAVideo } from '../../../../lambdas/domain/copying/media-type.ts';

/** The first block of a tar that holds a file of this name; `ustar` stands in it since 1988 only. */
function tar(name: string, magic = 'ustar\x0000'): string {
  const block = Buffer.alloc(512);
  block.write(name);
  block.write('0000644\0', 100);
  block.fill(' ', 148, 156);
  block.write(magic, 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block.toString('latin1');
}

const packets = (before: string, length: number) =>
  `${before}\x47${'\xff'.repeat(length - before.length - 1)}`;

const FORMATS: [string, string, string][] = [
  ['MP4', 'video/mp4', '\0\0\0\x20ftypisom'],
  ['a segment of MP4', 'video/mp4', '\0\0\0\x18stypmsdh'],
  ['a segment of MP4 with its index', 'video/mp4', '\0\0\0\x2csidx\0\0\0\0'],
  ['a fragment of MP4', 'video/mp4', '\0\0\0\x58moof\0\0\0\x10mfhd'],
  ['MOV', 'video/quicktime', '\0\0\0\x14ftypqt  '],
  ['MOV without ftyp', 'video/quicktime', '\0\0\0\x08wide\0\0\0\0mdat'],
  ['MKV', 'video/x-matroska', '\x1aE\xdf\xa3....B\x82\x88matroska'],
  ['WebM', 'video/webm', '\x1aE\xdf\xa3....B\x82\x84webm'],
  ['AVI', 'video/x-msvideo', 'RIFF\x24\0\0\0AVI LIST'],
  ['TS', 'video/mp2t', packets('', 188).repeat(2)],
  ['M2TS', 'video/mp2t', packets('\0\0\0\0', 192).repeat(2)],
  ['TS with error correction', 'video/mp2t', packets('', 204).repeat(2)],
  ['PS', 'video/mpeg', '\0\0\x01\xba\x44'],
  ['FLV', 'video/x-flv', 'FLV\x01\x05'],
  ['ASF', 'video/x-ms-asf', '\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa\0\x62\xce\x6c'],
  ['MXF', 'application/mxf', '\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01\x02'],
  ['Ogg', 'video/ogg', 'OggS\0\x02'],
  ['a sequence in zip', 'application/zip', 'PK\x03\x04\x14\0'],
  ['a sequence in a spanned zip', 'application/zip', 'PK\x07\x08PK\x03\x04'],
  ['an empty zip', 'application/zip', `PK\x05\x06${'\0'.repeat(18)}`],
  ['a sequence in tar', 'application/x-tar', tar('frame_0001.exr')],
  ['a sequence in an old tar', 'application/x-tar', tar('frame_0001.dpx', '')],
];

test.each(FORMATS)('%s is stored as %s, whatever the source says', (_name, type, head) => {
  for (const given of [undefined, 'text/html', 'application/octet-stream', 'video/other', 'text/plain']) {
    expect(mediaType(given, Buffer.from(head, 'latin1'))).toBe(type);
    expect(notAVideo(given, Buffer.from(head, 'latin1'))).toBeUndefined();
  }
});

test.each([
  ['video/x-matroska', 'video/x-matroska'],
  ['VIDEO/MP4; codecs="avc1"', 'video/mp4'],
  ['unknown/unknown', 'application/octet-stream'],
  ['text/html', 'application/octet-stream'],
  ['image/svg+xml', 'application/octet-stream'],
  ['video/mp4,text/html', 'application/octet-stream'],
  ['video/', 'application/octet-stream'],
  ['video/m\u00fc', 'application/octet-stream'],
  ['video/mp4\r\nx: y', 'application/octet-stream'],
  ['', 'application/octet-stream'],
  [undefined, 'application/octet-stream'],
])('unknown bytes that are given as %j are stored as %s', (given, type) => {
  expect(mediaType(given, Buffer.from('\x01\x02\x03'))).toBe(type);
});

const PAGE = 'the source begins like a page or an error message, not a video';
const DOCUMENT = 'the source begins like a document or a picture, not a video';
const TEXT = 'the source is text, not a video';

test.each([
  ['application/octet-stream', '<!DOCTYPE html><html>', PAGE],
  ['', '\n <html>', PAGE],
  [undefined, '{"message": "gone"}', PAGE],
  ['binary/octet-stream', Buffer.from('\ufeff<?xml version="1.0"?><Error>').toString('latin1'), PAGE],
  ['video/mp4', '<!doctype html><title>Sign in</title>', PAGE],
  ['video/mp4', '{"message": "gone"}', PAGE],
  ['video/mp4', '[ {"message": "gone"}]', PAGE],
  ['application/octet-stream', 'The link has expired.\n', TEXT],
  ['text/plain', 'a <html> later', TEXT],
  ['text/plain', '\tTabs, and\r\nlines\f', TEXT],
  ['text/plain', Buffer.from('cut within a letter: ä').subarray(0, -1).toString('latin1'), TEXT],
  ['image/png', '\x89PNG\r\n\x1a\n', DOCUMENT],
  ['video/mp4', '\xff\xd8\xff\xe0\0\x10JFIF', DOCUMENT],
  ['application/octet-stream', '%PDF-1.7', DOCUMENT],
  ['image/avif', '\0\0\0\x1cftypavif', DOCUMENT],
])('%s that begins with %j is no video: %s', (type, head, reason) => {
  expect(notAVideo(type, Buffer.from(head, 'latin1'))).toBe(reason);
});

test.each([
  ['text that is given as video', 'video/x-yuv', 'The link has expired.'],
  ['nothing', undefined, ''],
  ['bytes that are no text', undefined, '\xff\xfe\xfd'],
  ['text with a control character', 'text/plain', 'a\x01b'],
  ['text that is a format', 'text/plain', 'FLV\x01'],
])('%s may be a video', (_name, type, head) => {
  expect(notAVideo(type, Buffer.from(head, 'latin1'))).toBeUndefined();
});

test.each([
  ['sound in RIFF', 'RIFF\x24\0\0\0WAVEfmt ', 'application/octet-stream'],
  ['AVI without RIFF', '\0\0\0\0\0\0\0\0AVI LIST', 'application/octet-stream'],
  ['one packet of a transport stream', `${packets('', 188)}\0`, 'application/octet-stream'],
  ['the second packet alone', `\0${packets('', 188).slice(1)}\x47`, 'application/octet-stream'],
  ['Matroska that names WebM late', `\x1aE\xdf\xa3${'\0'.repeat(124)}webm`, 'video/x-matroska'],
  ['a tar with another sum', tar('a').replace('0000644', '0000645'), 'application/octet-stream'],
  [
    'a tar whose sum has other words before it',
    tar('a').replace(/^(.{148})(.{6})/s, (_, before, sum) => `${before}x${sum.slice(1)}`),
    'application/octet-stream',
  ],
])('%s is stored as what it is', (_name, head, type) => {
  expect(mediaType(undefined, Buffer.from(head, 'latin1'))).toBe(type);
});

test('blanks around the type that a source gives do not matter', () => {
  expect(mediaType(' video/x-yuv ; a=b', Buffer.from('\x01'))).toBe('video/x-yuv');
});

test.each([
  ['video/mp4', 'mp4'],
  ['video/webm', 'webm'],
  ['application/zip', 'zip'],
  ['video/x-yuv', 'bin'],
])('a file of %s has the extension %s', (type, extension) => {
  expect(extensionOf(type)).toBe(extension);
});

test('what looks a little like a tar is none', () => {
  const text = Buffer.alloc(1024, 'x');
  const cut = Buffer.from(tar('a').slice(0, 511), 'latin1');
  for (const head of [text, cut, Buffer.alloc(1024)]) expect(mediaType(undefined, head)).not.toMatch(/tar/);
});
