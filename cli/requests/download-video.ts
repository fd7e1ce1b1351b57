import { open, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Client, VideoRequest } from '../../client/client.ts';
import { EXIT, Failure } from '../frame/failure.ts';

export type StoredVideo = {
  readonly requestId: string;
  readonly size: number;
  readonly checksum: string;
  readonly name: string;
};
type Progress = (done: number, size: number) => void;

type Options = {
  readonly signal: AbortSignal;
  readonly sleep: (ms: number) => Promise<void>;
  readonly onProgress?: Progress;
};

/** Failures in a row, without a byte between them, after which a download is given up. */
const MAX_FAILURES = 6;
const FIRST_WAIT_MS = 500;

/**
 * What to download of a request.
 *
 * @throws {Failure} its video is not stored
 */
export function storedVideo(request: VideoRequest): StoredVideo {
  const { requestId, video } = request;
  if (video?.state !== 'stored' || video.size === undefined || !video.checksum)
    throw new Failure(
      `The video of ${requestId} is not stored: topaz-bridge show ${requestId} says why.`,
      EXIT.notFound,
    );
  const name = basename((video.key ?? '').replaceAll('\\', '/'));
  // A name of others must not hide or leave the folder.
  const safe = name.replace(/[\p{Cc}\p{Cf}:*?"<>|]/gu, '_').replace(/^\.+/, '_');
  return { requestId, size: video.size, checksum: video.checksum.value, name: safe || requestId };
}

/**
 * Downloads a video to `target`, which appears whole and checked by size and CRC-32, or not at all. What an earlier
 * run left in the partial file next to it is used; the checksum in that file's name says that it is of the same video.
 *
 * @throws {Failure} the bytes do not match, or do not come
 */
export async function downloadVideo(
  bridge: Client,
  video: StoredVideo,
  target: string,
  options: Options,
): Promise<void> {
  const { signal, sleep, onProgress } = options;
  const { size } = video;
  const partial = join(
    target,
    '..',
    `.${basename(target)}.${Buffer.from(video.checksum, 'base64').toString('hex')}.part`,
  );
  const file = await open(partial, 'a+');
  try {
    let { done, crc } = await checksumOf(file, size);
    for (let failures = 0; done < size; ) {
      const before = done;
      try {
        // A URL lives for minutes only, so each attempt takes a fresh one.
        const { url } = await bridge.requests.video(video.requestId);
        const response = await fetch(url, { headers: { range: `bytes=${done}-` }, signal });
        if (!response.ok || !response.body) throw new Error(`the bucket answered ${response.status}`);
        if (done > 0 && !startsAt(response, done)) {
          await response.body.cancel();
          throw new Error('the bucket answered another part than was asked for');
        }
        for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
          await file.appendFile(chunk);
          crc = crc32(chunk, crc);
          done += chunk.length;
          onProgress?.(done, size);
          if (done > size) break;
        }
      } catch (error) {
        signal.throwIfAborted();
        if (isFinal(error)) throw error;
        failures = done > before ? 1 : failures + 1;
        if (failures >= MAX_FAILURES)
          throw new Failure(
            `The download of ${video.requestId} broke off: ${(error as Error).message}. Run it again; it continues where it ended.`,
            EXIT.failed,
            { cause: error },
          );
        await sleep(FIRST_WAIT_MS * 2 ** (failures - 1));
      }
    }
    const found = Buffer.alloc(4);
    found.writeUInt32BE(crc);
    if (done !== size || found.toString('base64') !== video.checksum) {
      await rm(partial, { force: true });
      throw new Failure(
        `The bytes that came of ${video.requestId} do not match the checksum and were deleted. Run the download again.`,
      );
    }
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, target);
}

type FileHandle = Awaited<ReturnType<typeof open>>;

/** How many bytes there are, and their CRC-32. A file larger than the video is emptied. */
async function checksumOf(file: FileHandle, size: number): Promise<{ done: number; crc: number }> {
  let [done, crc] = [0, 0];
  const buffer = Buffer.alloc(1 << 20);
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, done);
    if (bytesRead === 0) break;
    crc = crc32(buffer.subarray(0, bytesRead), crc);
    done += bytesRead;
  }
  if (done <= size) return { done, crc };
  await file.truncate(0);
  return { done: 0, crc: 0 };
}

const startsAt = (response: Response, done: number): boolean =>
  response.status === 206 && (response.headers.get('content-range') ?? '').startsWith(`bytes ${done}-`);

/** Whether the bridge or the disk refuses: waiting does not help. */
function isFinal(error: unknown): boolean {
  const { name, status, code } = error as { name?: string; status?: number; code?: string };
  return (
    (name === 'ApiError' && (status ?? 500) < 500) ||
    ['ENOSPC', 'EACCES', 'EIO', 'EROFS'].includes(code ?? '')
  );
}

/** Whether a file is that video already, so that nothing is left to do. */
export async function isDownloaded(video: StoredVideo, path: string): Promise<boolean> {
  const there = await stat(path).catch(() => undefined);
  if (!there) return false;
  if (there.isFile() && there.size === video.size) {
    const file = await open(path, 'r');
    try {
      const { crc } = await checksumOf(file, Number.POSITIVE_INFINITY);
      const found = Buffer.alloc(4);
      found.writeUInt32BE(crc);
      if (found.toString('base64') === video.checksum) return true;
    } finally {
      await file.close();
    }
  }
  throw new Failure(
    `${path} exists and is another file: move it away, or give another place by -o.`,
    EXIT.refused,
  );
}
