import { expect, test } from 'vitest';
import {
  alternativeKey,
  filenameOf,
  givesShortKeys,
  objectKeyFor,
} from '../../../../lambdas/domain/copying/object-key.ts';

const values = { requestId: 'r-1', contentType: 'video/mp4', now: Date.parse('2026-11-23T23:59:00Z') };

test.each([
  ['videos/{requestId}/{filename}', 'out.mov', 'videos/r-1/out.mov'],
  ['{date}/{requestId}.{ext}', 'out.mov', '2026-11-23/r-1.mov'],
  ['{requestId}.{ext}', undefined, 'r-1.mp4'],
  ['{requestId}/{filename}', 'no extension', 'r-1/no-extension.mp4'],
  ['{requestId}/{filename}', '../../etc/passwd', 'r-1/etc-passwd.mp4'],
  ['{requestId}/{filename}', '.hidden.mp4', 'r-1/hidden.mp4'],
  ['{requestId}/{filename}', '.mp4', 'r-1/video.mp4'],
  ['{requestId}/{filename}', 'видео № 1.mp4', 'r-1/видео-1.mp4'],
  ['{requestId}/{filename}', '動画.mov', 'r-1/動画.mov'],
  ['{requestId}/{filename}', 'e\u0301te\u0301.mp4', 'r-1/\u00e9t\u00e9.mp4'],
  ['{constructor}/{requestId}', undefined, '{constructor}/r-1'],
  ['{requestId}/{unknown}', undefined, 'r-1/{unknown}'],
])('the template %s with %s gives %s', (template, filename, key) => {
  expect(objectKeyFor(template, { ...values, filename })).toBe(key);
});

test('the extension follows the type where the name has none', () => {
  expect(objectKeyFor('{filename}', { ...values, contentType: 'video/webm' })).toBe('video.webm');
});

test('a clash puts a number before the extension', () => {
  expect([1, 2, 3].map((attempt) => alternativeKey('a.b/v.mp4', attempt))).toEqual([
    'a.b/v.mp4',
    'a.b/v-2.mp4',
    'a.b/v-3.mp4',
  ]);
  expect(alternativeKey('a.b/v', 2)).toBe('a.b/v-2');
});

test('the name of a file is the last of its path, decoded, never of its query', () => {
  expect(filenameOf('https://x.example/a/my%20film.mp4?sig=/b')).toBe('my film.mp4');
  expect(filenameOf('https://x.example/a/%E0%A4%A')).toBe('%E0%A4%A');
  expect(filenameOf('https://x.example/')).toBeUndefined();
});

test('a template that counts as giving short keys gives none that S3 refuses', () => {
  const longest = { requestId: 'r'.repeat(36), contentType: 'video/webm', now: 0 };
  const names = ['n'.repeat(300), `${'n'.repeat(300)}.extensi8`, `${'画'.repeat(300)}.extensi8`];
  let template = '{requestId}/{filename}{ext}{date}';
  while (givesShortKeys(`${template}ä{filename}`)) template += 'ä{filename}';
  for (const filename of names) {
    const key = alternativeKey(objectKeyFor(template, { ...longest, filename }), 100);
    expect(Buffer.byteLength(key)).toBeLessThanOrEqual(1024);
  }
});
