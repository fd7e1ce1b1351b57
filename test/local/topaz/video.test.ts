import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { generatedSha256, generatedVideo, playableVideo, type Video } from '../../../local/topaz/video.ts';

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

describe('the playable video', () => {
  const boxes = (video: Video) => boxTypes(read(video.slices(0, video.size)));

  test('is an MP4 whose index comes before its data', () => {
    expect(boxes(playableVideo())).toEqual(['ftyp', 'moov', 'free', 'mdat']);
  });

  test('stays an MP4, of the same data, when it is padded', () => {
    const plain = playableVideo();
    const padded = playableVideo(5_000_000);
    expect(padded.size).toBe(plain.size + 5_000_000);
    expect(padded.etag).not.toBe(plain.etag);
    expect(boxes(padded)).toEqual([...boxes(plain), 'free']);
    expect(read(padded.slices(0, plain.size)).equals(read(plain.slices(0, plain.size)))).toBe(true);
  });

  test('gives the same bytes for any range as for the whole, padded or not', () => {
    for (const video of [playableVideo(), playableVideo(200_000)]) {
      const whole = read(video.slices(0, video.size));
      const offset = fc.integer({ min: 0, max: video.size });
      fc.assert(
        fc.property(offset, offset, (a, b) => {
          const [start, end] = [Math.min(a, b), Math.max(a, b)];
          expect(read(video.slices(start, end)).equals(whole.subarray(start, end))).toBe(true);
        }),
      );
    }
  });
});

/** The types of an MP4's boxes at the top, in order. Throws unless their sizes add up to the whole. */
function boxTypes(mp4: Buffer): string[] {
  const types: string[] = [];
  let offset = 0;
  while (offset < mp4.length) {
    const size = mp4.readUInt32BE(offset);
    if (size < 8) throw new Error(`A box at ${offset} has the size ${size}.`);
    types.push(mp4.toString('latin1', offset + 4, offset + 8));
    offset += size;
  }
  if (offset !== mp4.length) throw new Error(`The last box ends at ${offset} of ${mp4.length}.`);
  return types;
}
