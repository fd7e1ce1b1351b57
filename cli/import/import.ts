import { command } from '../command/command.ts';
import { numberBetween } from '../frame/arguments.ts';
import type { ImportFlags } from './import-file.ts';

const text = (brief: string, placeholder: string) =>
  ({ kind: 'parsed', parse: String, brief, placeholder, optional: true }) as const;
const texts = (brief: string, placeholder: string) =>
  ({ ...text(brief, placeholder), variadic: true }) as const;

export const importRequests = command<ImportFlags, [string]>({
  brief:
    'Track the requests of a file, CSV or JSON lines; an interrupted import continues when it is run again',
  description: `Track the requests of a file, CSV or JSON lines; an interrupted import continues when it is run again.

The first line of a CSV file names its columns. Of these, requestId (or id), callbackUrl (or callback), events, copy and
metadata.NAME are known; others are left out unless --column says what they are for. A file without such a line is a
list of ids. JSON lines have an object with these names each, or an id.

FILE.import-journal holds the result of each line, so that another run sends only what is not tracked yet: what was
refused, and what is new in the file. Lines that could not be registered are in FILE.import-report, as JSON lines.
For standard input (-), name these files by --journal and --report.

While the bridge cannot be reached, an import waits, up to an hour each time.`,
  examples: [
    ['import jobs.csv', 'A file with a column requestId or id, or of ids alone'],
    ['import jobs.csv --column job=requestId --column order=metadata', 'Columns with other names'],
    ['import jobs.jsonl --callback https://example.com/hooks --rate 20', 'At most 20 requests a second'],
    ['import - --format jsonl --journal jobs.journal < jobs.jsonl', 'From standard input'],
    ['import jobs.csv --dry-run', 'Look at the file only'],
  ],
  flags: {
    format: {
      kind: 'enum',
      values: ['csv', 'jsonl'],
      brief: 'What the file is (default: by its name, or its first character)',
      optional: true,
    },
    column: texts(
      'What a column is for (repeatable): requestId, callbackUrl, events, copy, metadata or metadata.NAME',
      'NAME=FIELD',
    ),
    callback: text('Where to send the webhooks of lines that name no callback', 'URL'),
    events: texts('What to send there (repeatable): a type, or a prefix with .*', 'TYPE'),
    metadata: texts('For all requests (repeatable)', 'NAME=VALUE'),
    copy: { kind: 'boolean', brief: 'Copy the videos to the bucket (default)', optional: true },
    rate: {
      kind: 'parsed',
      parse: numberBetween(0.01, 10_000, { whole: false }),
      brief: 'Requests a second, at most (default: as fast as the bridge answers)',
      placeholder: 'N',
      optional: true,
    },
    journal: text('Where results are kept', 'FILE'),
    report: text('Where lines that failed are written', 'FILE'),
    fresh: {
      kind: 'boolean',
      brief: 'Forget what an earlier run registered, and send all again',
      optional: true,
      withNegated: false,
    },
    dryRun: { kind: 'boolean', brief: 'Look at the file only', optional: true, withNegated: false },
  },
  aliases: { m: 'metadata' },
  args: {
    kind: 'tuple',
    parameters: [{ parse: String, brief: 'The file; - is standard input', placeholder: 'FILE' }],
  },
  async run(session, flags, file) {
    const { importFile } = await import('./import-file.ts');
    await importFile(session, flags, file);
  },
});
