import type { Registration } from '../../client/client.ts';
import { command } from '../command/command.ts';
import { many, numberBetween, parsePairs } from '../frame/arguments.ts';
import { EXIT, Failure, usageError } from '../frame/failure.ts';
import { printable } from '../frame/text.ts';
import { endText, hasSucceeded } from './request-text.ts';

type Flags = {
  callback?: string;
  events?: string[];
  metadata?: string[];
  copy?: boolean;
  wait?: boolean;
  timeout?: number;
  download?: string;
};

const texts = (brief: string, placeholder: string) =>
  ({ kind: 'parsed', parse: String, brief, placeholder, variadic: true, optional: true }) as const;

export const track = command<Flags, string[]>({
  brief: 'Track requests, and with --wait show how they go until all have ended',
  description:
    'Track requests, and with --wait show how they go until all have ended. Ctrl-C ends the view; the bridge goes on tracking. While the bridge cannot be reached, the view waits.',
  examples: [
    ['track ID --callback https://example.com/hooks --metadata order=42', 'Track a request'],
    ['track ID1 ID2 --wait --download videos/', 'Wait for two requests and download their videos'],
  ],
  flags: {
    callback: {
      kind: 'parsed',
      parse: String,
      brief: 'Where to send its webhooks',
      placeholder: 'URL',
      optional: true,
    },
    events: texts('What to send there (repeatable): a type, or a prefix with .*', 'TYPE'),
    metadata: texts('Kept with the request and sent in each event (repeatable)', 'NAME=VALUE'),
    copy: { kind: 'boolean', brief: 'Copy the video to the bucket (default)', optional: true },
    wait: { kind: 'boolean', brief: 'Wait until all have ended', optional: true, withNegated: false },
    timeout: {
      kind: 'parsed',
      parse: numberBetween(1, 1e7, { of: 'seconds' }),
      brief: 'Wait for this long at most',
      placeholder: 'SECONDS',
      optional: true,
    },
    download: {
      kind: 'parsed',
      parse: String,
      brief: 'Wait, then download the videos here',
      placeholder: 'DIR',
      optional: true,
    },
  },
  aliases: { m: 'metadata', w: 'wait' },
  args: many('ID', 'The ids that Topaz gave the requests'),
  async run(session, { callback, events, metadata, copy, wait, timeout, download }, ...given) {
    const { out } = session;
    const bridge = await session.connect();
    const ids = [...new Set(given.map((id) => id.toLowerCase()))];
    const pairs = parsePairs(metadata, 'metadata');
    const waits = wait || download !== undefined;
    if (timeout !== undefined && !waits) throw usageError('--timeout limits a wait: give --wait, too.');
    const items = ids.map(
      (requestId): Registration =>
        ({ requestId, callbackUrl: callback, events, metadata: pairs, copy }) as Registration,
    );
    const refused: string[] = [];
    const tracked: string[] = [];
    for await (const { requestId, status, error } of bridge.requests.registerMany(items)) {
      const id = requestId ?? '';
      if (!waits || error) out.value({ requestId: id, status, ...(error ? { error } : {}) });
      if (error) {
        refused.push(id);
        out.note(printable(`${id}: ${error.detail}`));
      } else {
        tracked.push(id);
        if (!waits) out.line(`${id} is ${status === 201 ? 'tracked now' : 'tracked already'}.`);
      }
    }
    if (waits) {
      const { waitForRequests } = await import('./wait-for-requests.ts');
      const ended = await waitForRequests(
        session,
        bridge,
        tracked,
        timeout === undefined ? undefined : timeout * 1_000,
      );
      if (download !== undefined) {
        const { downloadToFile, fileInFolder } = await import('./download-to-file.ts');
        const { storedVideo } = await import('./download-video.ts');
        for (const request of ended.filter((each) => each.video?.state === 'stored')) {
          const video = storedVideo(request);
          await downloadToFile(session, video, fileInFolder(download, video));
        }
      }
      const failed = ended.filter((each) => !hasSucceeded(each));
      if (failed.length > 0) {
        const reasons = failed.map((each) => `${each.requestId}: ${printable(endText(each))}.`);
        throw new Failure(reasons.join('\n'));
      }
    }
    if (refused.length > 0)
      throw new Failure(
        `${refused.length} of ${ids.length} requests were refused, for the reasons above.`,
        EXIT.refused,
      );
  },
});
