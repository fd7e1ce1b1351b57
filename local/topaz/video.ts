import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Bytes behind a download URL. `etag` is strong and quoted; `slices` yields [start, end). */
export type Video = { size: number; etag: string; slices(start: number, end: number): Iterable<Buffer> };

const BLOCK = 64 * 1024;
const zeros = Buffer.alloc(BLOCK);
const playable = readFileSync(new URL('video.mp4', import.meta.url));

/**
 * Ten seconds of a test picture that any player shows. `padding` adds at least so many bytes in a `free` box at the
 * end, which players skip; 0 adds none.
 */
export function playableVideo(padding = 0): Video {
  const box = padding > 0 ? freeBoxHeader(padding) : Buffer.alloc(0);
  const head = Buffer.concat([playable, box]);
  const size = playable.length + Math.max(padding, box.length);
  return {
    size,
    etag: `"${digest(padding > 0 ? `${digest(playable)}/${size}` : playable)}"`,
    *slices(start, end) {
      if (start < head.length && end > start) yield head.subarray(start, end);
      for (let offset = Math.max(start, head.length); offset < Math.min(end, size); offset += BLOCK)
        yield zeros.subarray(0, Math.min(BLOCK, Math.min(end, size) - offset));
    },
  };
}

function freeBoxHeader(bytes: number): Buffer {
  const header = Buffer.from('\0\0\0\0free', 'latin1');
  header.writeUInt32BE(Math.max(header.length, bytes));
  return header;
}

/** A video of any size whose bytes follow from `seed` and offset: nothing is stored. */
export function generatedVideo(seed: string, size: number): Video {
  return {
    size,
    etag: `"${digest(`${seed}/${size}`)}"`,
    slices: (start, end) => generatedSlices(seed, start, Math.min(end, size)),
  };
}

const STAMP_AT = 64;
const noise = xorshift(2 * BLOCK);
/** An `ftyp` box, then an `mdat` box that reaches to the end of the file. */
const HEADER = Buffer.concat([playable.subarray(0, 32), Buffer.from('\0\0\0\0mdat', 'latin1')]);

/**
 * The bytes [start, end) of a generated video, block by block. Each block of 64 KiB is noise at an offset of its
 * own, stamped with seed and number, so that a misplaced or missing block shows in any checksum.
 */
export function* generatedSlices(seed: string, start: number, end: number): Iterable<Buffer> {
  const stamp = Buffer.alloc(16);
  createHash('sha256').update(seed).digest().copy(stamp, 0, 0, 8);
  for (let offset = start; offset < end; ) {
    const number = Math.floor(offset / BLOCK);
    const from = offset % BLOCK;
    const block = Buffer.allocUnsafe(BLOCK);
    noise.copy(block, 0, (number * 40_503) % BLOCK);
    stamp.writeBigUInt64BE(BigInt(number), 8);
    stamp.copy(block, STAMP_AT);
    if (number === 0) HEADER.copy(block);
    const slice = block.subarray(from, Math.min(BLOCK, from + end - offset));
    yield slice;
    offset += slice.length;
  }
}

/** SHA-256 of a whole generated video, in hex. */
export function generatedSha256(seed: string, size: number): string {
  const hash = createHash('sha256');
  for (const slice of generatedSlices(seed, 0, size)) hash.update(slice);
  return hash.digest('hex');
}

function digest(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 32);
}

function xorshift(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 0x9e3779b9;
  for (let offset = 0; offset < length; offset += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes.writeInt32LE(state, offset);
  }
  return bytes;
}
