import { mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Session } from '../command/session.ts';
import { whileLocked } from '../command/while-locked.ts';
import { bar, bytesText, printable } from '../frame/text.ts';
import { downloadVideo, isDownloaded, type StoredVideo } from './download-video.ts';

/** The file in `folder` for a video, under a name that no other request's video has. */
export const fileInFolder = (folder: string, { requestId, name }: StoredVideo): string =>
  join(folder, `${requestId}-${name}`);

/** Where the only video of a download goes: `output` itself, or into it when it is a folder. */
export const fileOf = (output: string, { name }: StoredVideo): string =>
  isFolder(output) ? join(output, name) : output;

/** Whether the path is a folder, or is to be one. */
export function isFolder(path: string): boolean {
  return path.endsWith('/') || (statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false);
}

/** Downloads one video with its progress on a terminal. */
export async function downloadToFile(session: Session, video: StoredVideo, target: string): Promise<void> {
  const { out, signal, sleep } = session;
  mkdirSync(dirname(target), { recursive: true });
  const done = () => {
    out.value({ requestId: video.requestId, path: target, size: video.size });
    out.line(`${printable(target)}  ${bytesText(video.size)}, checksum verified`);
  };
  if (await isDownloaded(video, target)) return done();
  const live = out.terminal ? out.live() : undefined;
  let drawnAt = 0;
  const onProgress = (bytes: number, size: number) => {
    if (!live || Date.now() - drawnAt < 100) return;
    drawnAt = Date.now();
    live.draw([`${target}  ${bar(bytes / size)} ${bytesText(bytes)} of ${bytesText(size)}`]);
  };
  try {
    const bridge = await session.connect();
    // Two runs would append to one partial file, and each check only the bytes that came to it.
    await whileLocked(target, () => downloadVideo(bridge, video, target, { signal, sleep, onProgress }));
  } finally {
    live?.clear();
  }
  done();
}
