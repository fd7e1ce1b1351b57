import { Failure } from '../frame/failure.ts';
import type { TextLine } from './text-lines.ts';

/** A record of the file at its first line, or why there is none. */
type CsvRecord = { readonly line: number } & ({ readonly cells: string[] } | { readonly reason: string });

/** A quoted value may go over so many lines; a longer one lacks its second quote. */
const MAX_LINES = 100;
const DELIMITERS = [',', ';', '\t'];

/**
 * The records of a CSV text; empty lines are none. Its delimiter is the one that the first line has most of. The
 * library gets one record at a time, so that a wrong one costs no other.
 */
export async function* readCsv(lines: AsyncIterable<TextLine>): AsyncGenerator<CsvRecord> {
  const source = lines[Symbol.asyncIterator]();
  const ahead: TextLine[] = [];
  const next = async () => ahead.shift() ?? ((await source.next()).value as TextLine | undefined);
  let parse: ((text: string) => string[] | CsvError) | undefined;
  for (let first = await next(); first; first = await next()) {
    if (first.text.trim() === '') continue;
    parse ??= await createParser(delimiterOf(first.text));
    const taken: TextLine[] = [];
    let text = first.text;
    let outcome = parse(text);
    while (isOpen(outcome) && taken.length < MAX_LINES) {
      const more = await next();
      if (!more) break;
      taken.push(more);
      text += `\n${more.text}`;
      outcome = parse(text);
    }
    const line = first.number;
    if (Array.isArray(outcome)) yield { line, cells: outcome.map((cell) => cell.trim()) };
    else {
      // Each line that a wrong quote took in is a record again.
      ahead.unshift(...taken);
      yield { line, reason: reasonOf(taken.length > 0 ? { code: NOT_CLOSED } : outcome) };
    }
  }
}

type CsvError = { readonly code: string };

const NOT_CLOSED = 'CSV_QUOTE_NOT_CLOSED';
const isOpen = (outcome: string[] | CsvError): boolean =>
  !Array.isArray(outcome) && outcome.code === NOT_CLOSED;

const REASONS: Readonly<Record<string, string>> = {
  [NOT_CLOSED]: 'a quote is not closed',
  CSV_INVALID_CLOSING_QUOTE: 'there is text after a closing quote; a quote within quotes is doubled',
  INVALID_OPENING_QUOTE:
    'there is a quote within a value that does not begin with one; quote the whole value',
};
const reasonOf = ({ code }: CsvError): string => REASONS[code] ?? `it is not CSV (${code})`;

function delimiterOf(text: string): string {
  const count = (delimiter: string) => text.split(delimiter).length;
  return DELIMITERS.reduce((most, each) => (count(each) > count(most) ? each : most));
}

async function createParser(delimiter: string) {
  // Only this command needs it.
  const { parse } = await import('csv-parse/sync');
  return (text: string): string[] | CsvError => {
    try {
      const [cells = []] = parse(text, { delimiter, relax_column_count: true }) as string[][];
      return cells;
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === undefined) throw new Failure('The CSV could not be read.', undefined, { cause: error });
      return { code };
    }
  };
}
