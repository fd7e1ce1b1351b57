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

test.each([
  '../../etc/passwd',
  '..\\..\\windows\\win.ini',
  '/etc/passwd',
  '....//....//x.mp4',
  'a\0b.mp4',
  'a\r\nx-amz-acl: public-read.mp4',
  '\u001b]0;owned\u0007.mp4',
  '\u009b2J\u202e4pm.exe',
  '<img src=x onerror=alert(1)>.mp4',
  '"><script>alert(1)</script>',
  "'; drop table videos; --.mp4",
  '$(reboot).mp4',
  '{requestId}$&$1.mp4',
  '%2e%2e%2f.mp4',
  'a?versionId=1#b.mp4',
  '\u2028\u2029\u00a0',
])('no name of a file leaves its place in the key, or steers what shows it: %j', (name) => {
  const hosted = filenameOf(`https://x.example/${encodeURIComponent(name)}?sig=1`);
  for (const filename of [name, hosted]) {
    const key = objectKeyFor('videos/{requestId}/{filename}', { ...values, filename });
    expect(key).toMatch(/^videos\/r-1\/(?!\.)[\p{L}\p{M}\p{N}._-]+\.[A-Za-z0-9]{1,8}$/u);
  }
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
  expect(alternativeKey('v', 2)).toBe('v-2');
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

test('a template gives short keys up to the last byte', () => {
  // 36 bytes of an id and 4 of a number leave 984.
  expect(givesShortKeys(`{requestId}${'x'.repeat(984)}`)).toBe(true);
  expect(givesShortKeys(`{requestId}${'x'.repeat(985)}`)).toBe(false);
  expect(givesShortKeys('{unknown}'.repeat(600))).toBe(true);
});

test('a name is cut to 200 bytes with its extension', () => {
  const key = objectKeyFor('{filename}', { ...values, filename: `${'n'.repeat(300)}.mov` });
  expect(key).toBe(`${'n'.repeat(196)}.mov`);
});
