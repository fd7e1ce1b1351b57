import { command } from '../command/command.ts';
import type { ExportFlags } from './write-export.ts';

const text = (brief: string, placeholder: string) =>
  ({ kind: 'parsed', parse: String, brief, placeholder, optional: true }) as const;

export const exportRequests = command<ExportFlags>({
  brief: 'Write requests, events and deliveries as JSON lines; with -o an interrupted export can continue',
  description: `Write requests, events and deliveries as JSON lines; with -o an interrupted export continues when it is run again.

Each line has a kind: "request" with the request and its timeline, then its events, and the deliveries of its last 100
events. The newest request comes first. Times are those of the registration. While the bridge cannot be reached, an
export waits.

--anonymize replaces ids, URLs, metadata, names and error texts by pseudonyms, which are the same for the same value
within one export; statuses, times, progress, estimates and other numbers stay. So an export of your own jobs can go into
a report, and npm run bench:polling -- --traces FILE judges the polling schedule on them.`,
  examples: [
    ['export --since 7d -o week.jsonl', 'The requests of the last seven days, to a file'],
    ['export --request 4f9c1a52-7d3e-4b8a-9c60-2e5d8f1a7b34', 'All there is of one request'],
    ['export --since 30d --anonymize -o jobs.jsonl', 'Jobs to show to others, or to measure the schedule on'],
  ],
  flags: {
    since: text('Registered from this time on: ISO 8601, or 2h for two hours ago', 'TIME'),
    until: text('Registered before this time (default: now)', 'TIME'),
    request: { ...text('Only this request (repeatable)', 'ID'), variadic: true },
    output: text('The file (default: standard output, which cannot be continued)', 'FILE'),
    anonymize: {
      kind: 'boolean',
      brief: 'Replace what may name someone or something',
      optional: true,
      withNegated: false,
    },
    fresh: {
      kind: 'boolean',
      brief: 'Begin again, and replace the file',
      optional: true,
      withNegated: false,
    },
  },
  aliases: { o: 'output' },
  async run(session, flags) {
    const { writeExport } = await import('./write-export.ts');
    await writeExport(session, flags);
  },
});
