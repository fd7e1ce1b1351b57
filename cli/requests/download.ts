import { command } from '../command/command.ts';
import { many } from '../frame/arguments.ts';
import { usageError } from '../frame/failure.ts';

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
    const { downloadToFile, fileInFolder, fileOf, isFolder } = await import('./download-to-file.ts');
    const { storedVideo } = await import('./download-video.ts');
    if (ids.length > 1 && !isFolder(output))
      throw usageError('Several videos need a folder: end -o with a slash.');
    const bridge = await session.connect();
    for (const id of ids) {
      const video = storedVideo(await bridge.requests.get(id));
      await downloadToFile(
        session,
        video,
        ids.length > 1 ? fileInFolder(output, video) : fileOf(output, video),
      );
    }
  },
});
