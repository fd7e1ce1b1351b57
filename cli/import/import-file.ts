import { createReadStream, existsSync, statSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import type { Registration } from '../../client/client.ts';
import type { Session } from '../command/session.ts';
import { throughOutages } from '../command/through-outages.ts';
import { whileLocked } from '../command/while-locked.ts';
import { parsePairs } from '../frame/arguments.ts';
import { EXIT, Failure, usageError } from '../frame/failure.ts';
import { bar, durationText, printable } from '../frame/text.ts';
import { parseColumns } from './columns.ts';
import { openJournal } from './journal.ts';
import { type Format, readRegistrations } from './read-registrations.ts';
import { type Counts, noCounts, registerLines } from './register-lines.ts';
import { createReport, type Finding, type Report } from './report.ts';
import { type TextLine, textLines } from './text-lines.ts';

export type ImportFlags = {
  format?: Format;
  column?: string[];
  callback?: string;
  events?: string[];
  metadata?: string[];
  copy?: boolean;
  rate?: number;
  journal?: string;
  report?: string;
  fresh?: boolean;
  dryRun?: boolean;
};

/** In a pipe, progress is a line for so many lines of the file. */
const SAY_EVERY = 1_000;
/** Findings that are shown; the report has all. */
const SHOWN_FINDINGS = 10;
const DRAW_EVERY_MS = 100;
const LF = 10;

/**
 * Registers the requests of a file, or of standard input (`-`), and reports the outcome of each line.
 *
 * @throws {Failure} some lines are not registered as they stand
 */
export async function importFile(session: Session, flags: ImportFlags, file: string): Promise<void> {
  const source = await openSource(session, file, flags);
  const journal = flags.dryRun ? undefined : source.places.journal;
  await whileLocked(journal, () => importSource(session, flags, file, source));
}

async function importSource(
  session: Session,
  flags: ImportFlags,
  file: string,
  source: Source,
): Promise<void> {
  const { out } = session;
  const { name, places } = source;
  const bridge = flags.dryRun ? undefined : await session.connect();
  const { url } = bridge ? await session.connection() : { url: '' };
  const journal = openJournal(flags.dryRun ? undefined : places.journal, url, flags.fresh ?? false);
  const report = createReport(places.report);
  if (bridge && !places.journal)
    out.note(
      'Standard input has no journal: if this is interrupted, it begins from the start. Give --journal FILE.',
    );
  const counts = noCounts();
  const progress = showProgress(session, counts, source);
  let ended = false;
  try {
    const lines = readRegistrations(source.lines, {
      name,
      format: source.format,
      columns: parseColumns(flags.column),
      defaults: defaultsOf(flags),
      onUnused: (names) => {
        const shown = names.map((each) => `"${printable(each)}"`).join(', ');
        progress.note(`Not used: ${shown}. --column NAME=metadata keeps one as metadata.`);
      },
    });
    await registerLines(lines, {
      bridge: bridge?.requests,
      journal,
      counts,
      onFinding: (finding) => {
        report.add(finding);
        if (report.count() <= SHOWN_FINDINGS) progress.note(findingText(finding));
      },
      onProgress: progress.show,
      rate: flags.rate,
      sleep: session.sleep,
      call: throughOutages(session, { note: progress.note, hasAnswered: false }),
    });
    ended = true;
    report.end();
  } finally {
    progress.end();
    journal.close();
    if (!ended && counts.line > 0) out.note(restText(file, counts, journal.path));
  }
  const { line: _line, ...shown } = counts;
  out.value({ file: name, ...shown, ...(report.count() > 0 ? { report: report.path } : {}) });
  out.line(summary(name, counts, flags.dryRun ?? false));
  end(counts, report);
}

/** @throws {Failure} some lines are not registered as they stand */
function end({ refused, unreadable, differs }: Counts, report: Report): void {
  const failed = refused + unreadable + differs;
  if (failed === 0) return;
  const place = report.path ? `${report.path} says why` : 'the reasons are above, or in a file with --report';
  const which = failed === 1 ? 'A line was' : `${failed} lines were`;
  throw new Failure(`${which} not registered: ${place}.`, EXIT.refused);
}

function summary(name: string, counts: Counts, dryRun: boolean): string {
  const { read, registered, known, earlier, repeated } = counts;
  if (read === 0) return `${name} has no requests.`;
  const parts = [
    dryRun ? `${registered} would be registered` : `${registered} registered`,
    ...(known > 0 ? [`${known} tracked already`] : []),
    ...(earlier > 0 ? [`${earlier} by an earlier run`] : []),
    ...(repeated > 0 ? [`${repeated} repeated`] : []),
    ...failures(counts),
  ];
  return `${name}: ${parts.join(', ')}.`;
}

const failures = ({ refused, unreadable, differs }: Counts): string[] => [
  ...(refused > 0 ? [`${refused} refused`] : []),
  ...(unreadable > 0 ? [`${unreadable} unreadable`] : []),
  ...(differs > 0 ? [`${differs} with other values than before`] : []),
];

const findingText = ({ line, requestId, reason }: Finding): string =>
  printable(`Line ${line}: ${requestId ? `${requestId}: ` : ''}${reason}`);

function restText(file: string, { registered, known }: Counts, journal: string | undefined): string {
  const done = `${registered + known} were registered in this run`;
  if (!journal) return `${done}. Run it again: that sends all again, and resets nothing.`;
  // A journal begins with the first result.
  if (!existsSync(journal)) return `${done}. Run it again: it begins from the start.`;
  return `${done}. Run it again: it goes on where ${printable(journal)} ends${file === '-' ? '' : ', also after changes to the file'}.`;
}

function defaultsOf({ callback, events, metadata, copy }: ImportFlags): Omit<Registration, 'requestId'> {
  const pairs = parsePairs(metadata, 'metadata');
  return {
    ...(callback === undefined ? {} : { callbackUrl: callback }),
    ...(events === undefined ? {} : { events: events as NonNullable<Registration['events']> }),
    ...(pairs === undefined ? {} : { metadata: pairs }),
    ...(copy === undefined ? {} : { copy }),
  };
}

type Source = {
  readonly name: string;
  readonly lines: AsyncIterable<TextLine>;
  readonly format: Format;
  /** Lines of the file, where they can be counted. */
  readonly total: number | undefined;
  readonly places: { readonly journal: string | undefined; readonly report: string | undefined };
};

async function openSource(session: Session, file: string, flags: ImportFlags): Promise<Source> {
  const { process, signal } = session;
  // A pipe can be read once, and is another one in the next run.
  const isFile = file !== '-' && statSync(file).isFile();
  const name = file === '-' ? 'Standard input' : printable(file);
  const places = {
    journal: flags.journal ?? (isFile ? `${file}.import-journal` : undefined),
    report: flags.report ?? (isFile && !flags.dryRun ? `${file}.import-report` : undefined),
  };
  const paths = [file, places.journal, places.report].filter((path) => path !== undefined && path !== '-');
  if (new Set(paths.map((path) => resolve(path ?? ''))).size < paths.length)
    throw usageError('The file, its journal and its report must be different files.');
  const stream: Readable =
    file === '-' ? addAbortSignal(signal, process.stdin) : createReadStream(file, { signal });
  const { first, lines } = await withFirst(textLines(stream, name));
  return {
    name,
    lines,
    format: formatOf(file, first, flags),
    total: isFile ? await countLines(file) : undefined,
    places,
  };
}

/** Looks at the first line that is not empty, without taking it away. */
async function withFirst(lines: AsyncGenerator<TextLine>) {
  const ahead: TextLine[] = [];
  let first = '';
  for (;;) {
    const { value, done } = await lines.next();
    if (done) break;
    ahead.push(value);
    first = value.text.trim();
    if (first !== '') break;
  }
  async function* all() {
    yield* ahead;
    yield* lines;
  }
  return { first, lines: all() };
}

const EXTENSIONS: Readonly<Record<string, Format>> = {
  '.csv': 'csv',
  '.tsv': 'csv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
};

function formatOf(file: string, first: string, { format }: ImportFlags): Format {
  if (format) return format;
  if (first.startsWith('['))
    throw usageError('This is an array of JSON: give an object a line, as jq -c ".[]" writes them.');
  return EXTENSIONS[extname(file).toLowerCase()] ?? (first.startsWith('{') ? 'jsonl' : 'csv');
}

async function countLines(file: string): Promise<number> {
  let count = 0;
  let last = LF;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) count++;
    last = chunk.at(-1) ?? last;
  }
  return last === LF ? count : count + 1;
}

/** Drawn in place on a terminal, and otherwise a line for each thousand lines of the file. */
function showProgress({ out }: Session, counts: Counts, { name, total }: Source) {
  const live = out.terminal ? out.live() : undefined;
  const begun = Date.now();
  let drawnAt = 0;
  let said = 0;
  const line = () => {
    const { line: at, registered, known, earlier } = counts;
    return [
      `${total ? `${at} of ${total} lines` : `${at} lines`}: ${registered + known + earlier} tracked`,
      ...failures(counts),
    ].join(', ');
  };
  return {
    show(): void {
      if (live) {
        const now = Date.now();
        if (now - drawnAt < DRAW_EVERY_MS) return;
        drawnAt = now;
        const share = total ? counts.line / total : undefined;
        const left = share ? `, about ${durationText(((now - begun) * (1 - share)) / share)} left` : '';
        live.draw([`${name}  ${share === undefined ? '' : `${bar(share)} `}${line()}${left}`]);
      } else if (counts.read >= said + SAY_EVERY) {
        said = counts.read - (counts.read % SAY_EVERY);
        out.line(line());
      }
    },
    note(message: string): void {
      live?.clear();
      out.note(message);
    },
    end: () => live?.clear(),
  };
}
