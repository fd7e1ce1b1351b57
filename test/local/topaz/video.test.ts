import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { generatedSha256, generatedVideo, playableVideo } from '../../../local/topaz/video.ts';

const GIB = 1024 ** 3;
const read = (slices: Iterable<Buffer>) => Buffer.concat([...slices]);

describe('a generated video', () => {
  const size = 200_000;
  const video = generatedVideo('seed', size);
  const whole = read(video.slices(0, size));

  test('has the size and the checksum that are told of it', () => {
    expect(whole.length).toBe(size);
    expect(createHash('sha256').update(whole).digest('hex')).toBe(generatedSha256('seed', size));
  });

  test('gives the same bytes for any range as for the whole', () => {
    const offset = fc.integer({ min: 0, max: size });
    fc.assert(
      fc.property(offset, offset, (a, b) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        expect(read(video.slices(start, end)).equals(whole.subarray(start, end))).toBe(true);
      }),
    );
  });

  test('begins with an ftyp box, followed by an mdat box that reaches to the end', () => {
    expect(whole.subarray(4, 8).toString()).toBe('ftyp');
    expect(whole.subarray(36, 40).toString()).toBe('mdat');
  });

  test('gives the end of 200 GiB without making what is before', () => {
    const large = generatedVideo('seed', 200 * GIB);
    const tail = read(large.slices(200 * GIB - 70_000, 200 * GIB));
    expect(tail.length).toBe(70_000);
    expect(read(large.slices(200 * GIB - 5, 200 * GIB))).toEqual(tail.subarray(-5));
  });

  test('has no two equal blocks, so that a misplaced part shows', () => {
    const digests = Array.from({ length: 200 }, (_, block) =>
      read(generatedVideo('seed', GIB).slices(block * 65_536, (block + 1) * 65_536)).toString('latin1'),
    );
    expect(new Set(digests).size).toBe(200);
  });

  test('differs in bytes and ETag between seeds', () => {
    const other = generatedVideo('other', size);
    expect(other.etag).not.toBe(video.etag);
    expect(read(other.slices(0, size)).equals(whole)).toBe(false);
  });

  test('may be shorter than its header, or empty', () => {
    expect(read(generatedVideo('seed', 8).slices(0, 8)).length).toBe(8);
    expect(read(generatedVideo('seed', 0).slices(0, 0)).length).toBe(0);
  });
});

test('the playable video is an MP4 whose index comes before its data', () => {
  const { size, slices } = playableVideo();
  const bytes = read(slices(0, size));
  expect(bytes.subarray(4, 8).toString()).toBe('ftyp');
  expect(bytes.indexOf('moov')).toBeLessThan(bytes.indexOf('mdat'));
});
