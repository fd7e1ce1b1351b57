import { mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { command } from '../command/command.ts';
import type { Session } from '../command/session.ts';
import { many } from '../frame/arguments.ts';
import { usageError } from '../frame/failure.ts';
import { bar, bytesText, printable } from '../frame/text.ts';
import { downloadVideo, isDownloaded, type StoredVideo, storedVideo } from './download-video.ts';

export const download = command<{ output?: string }, string[]>({
  brief: 'Download stored videos; an interrupted download continues when it is run again',
  description:
    'Download stored videos. Size and CRC-32 are checked; a file appears whole or not at all. An interrupted download continues when it is run again.',
  examples: [
    ['download 4f9c1a52-7d3e-4b8a-9c60-2e5d8f1a7b34 -o video.mp4', 'One video, to a file of this name'],
    ['download ID1 ID2 -o videos/', 'Several videos, into a folder'],
  ],
  flags: {
    output: {
      kind: 'parsed',
      parse: String,
      brief: 'A file, or a folder that ends with / or is there',
      placeholder: 'PATH',
      optional: true,
    },
  },
  aliases: { o: 'output' },
  args: many('ID', 'The ids of the requests'),
  async run(session, { output = './' }, ...ids) {
    const bridge = await session.connect();
    const toFolder = output.endsWith('/') || isFolder(output);
    if (ids.length > 1 && !toFolder) throw usageError('Several videos need a folder: end -o with a slash.');
    for (const id of ids) {
      const video = storedVideo(await bridge.requests.get(id));
      const name = ids.length > 1 ? nameInFolder(video) : video.name;
      await downloadTo(session, video, toFolder ? join(output, name) : output);
    }
  },
});

/** Names of several videos may be the same. */
export const nameInFolder = ({ requestId, name }: StoredVideo): string => `${requestId}-${name}`;

/** Downloads one video with its progress on a terminal. */
export async function downloadTo(session: Session, video: StoredVideo, target: string): Promise<void> {
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
    await downloadVideo(await session.connect(), video, target, { signal, sleep, onProgress });
  } finally {
    live?.clear();
  }
  done();
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
