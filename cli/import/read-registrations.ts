import type { Registration } from '../../client/client.ts';
import { usageError } from '../frame/failure.ts';
import { printable } from '../frame/text.ts';
import { type Field, fieldsOf } from './columns.ts';
import { readCsv } from './read-csv.ts';
import type { TextLine } from './text-lines.ts';

/** A line of the file that is to be registered. */
export type Entry = { readonly line: number; readonly registration: Registration };
/** A line that cannot be, and why. */
export type BadLine = { readonly line: number; readonly reason: string };

type Reading = {
  /** Of the file, for errors. */
  readonly name: string;
  readonly format: Format;
  readonly columns: ReadonlyMap<string, Field>;
  /** The values for lines that give none. */
  readonly defaults: Omit<Registration, 'requestId'>;
  /** Is told the columns that are for nothing. */
  readonly onUnused: (names: readonly string[]) => void;
};
export type Format = 'csv' | 'jsonl';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The registrations of a file, in the order of its lines.
 *
 * @throws {Failure} no column has the ids
 */
export async function* readRegistrations(
  lines: AsyncIterable<TextLine>,
  reading: Reading,
): AsyncGenerator<Entry | BadLine> {
  const read = reading.format === 'csv' ? fromCsv(lines, reading) : fromJson(lines, reading);
  for await (const each of read) yield 'values' in each ? entryOf(each, reading) : each;
}

/** Values by what they are for. */
type Values = Readonly<Record<string, unknown>>;
type Read = { readonly line: number; readonly values: Values } | BadLine;

async function* fromCsv(lines: AsyncIterable<TextLine>, reading: Reading): AsyncGenerator<Read> {
  let fields: (Field | undefined)[] | undefined;
  for await (const record of readCsv(lines)) {
    if ('reason' in record) {
      if (!fields) throw usageError(`${reading.name}: line ${record.line}: ${record.reason}.`);
      yield record;
      continue;
    }
    const { line, cells } = record;
    if (!fields) {
      fields = headOf(cells, reading);
      if (fields) continue;
      fields = ['requestId'];
    }
    if (cells.length === fields.length) yield { line, values: valuesOf(fields, cells) };
    else yield { line, reason: `it has ${cells.length} values, and the first line has ${fields.length}` };
  }
}

/** What the columns are for; undefined where the file is a list of ids without a first line of names. */
function headOf(names: readonly string[], reading: Reading): (Field | undefined)[] | undefined {
  const { name: file, columns, onUnused } = reading;
  const isData = names.some((name) => UUID.test(name.toLowerCase()));
  if (isData && names.length === 1) return undefined;
  if (isData)
    throw usageError(`${file}: the first line must name the columns, such as requestId,callbackUrl.`);
  const shown = names.map((name) => `"${printable(name)}"`).join(', ');
  const missing = [...columns.keys()].find((name) => !names.includes(name));
  if (missing !== undefined) throw usageError(`${file} has no column "${missing}": it has ${shown}.`);
  const fields = fieldsOf(names, columns);
  const doubled = fields.find((field, at) => field !== undefined && fields.indexOf(field) !== at);
  if (doubled) throw usageError(`${file} has several columns for ${doubled}: rename all but one.`);
  if (!fields.includes('requestId'))
    throw usageError(
      `${file} has no column that is known to hold the ids: it has ${shown}. Name it by --column NAME=requestId.`,
    );
  const unused = names.filter((name, at) => name !== '' && fields[at] === undefined);
  if (unused.length > 0) onUnused(unused);
  return fields;
}

async function* fromJson(lines: AsyncIterable<TextLine>, reading: Reading): AsyncGenerator<Read> {
  const { columns, onUnused } = reading;
  const unused = new Set<string>();
  for await (const { number: line, text } of lines) {
    if (text.trim() === '') continue;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      yield { line, reason: 'it is not JSON; each line is one object' };
      continue;
    }
    if (typeof value === 'string') yield { line, values: { requestId: value } };
    else if (typeof value !== 'object' || value === null || Array.isArray(value))
      yield { line, reason: 'it is neither an object nor an id' };
    else {
      const names = Object.keys(value);
      const fields = fieldsOf(names, columns);
      const kept = fields.map((field, at) => field ?? (names[at] === 'metadata' ? 'metadata' : undefined));
      const news = names.filter((name, at) => kept[at] === undefined && !unused.has(name));
      if (news.length > 0) onUnused(news);
      for (const name of news) unused.add(name);
      yield { line, values: valuesOf(kept, Object.values(value)) };
    }
  }
}

/** What was left empty is not given. */
const valuesOf = (fields: readonly (string | undefined)[], values: readonly unknown[]): Values =>
  Object.fromEntries(
    fields.flatMap((field, at) =>
      field === undefined || values[at] === '' || values[at] === null ? [] : [[field, values[at]]],
    ),
  );

function entryOf({ line, values }: { line: number; values: Values }, { defaults }: Reading): Entry | BadLine {
  const { requestId, events, copy, metadata, ...others } = values;
  if (requestId === undefined) return { line, reason: 'it has no id' };
  const id = String(requestId).toLowerCase();
  if (!UUID.test(id))
    return { line, reason: `"${printable(id.slice(0, 60))}" is not an id of Topaz, which is a UUID` };
  const given = copy === undefined ? undefined : booleanOf(copy);
  if (copy !== undefined && given === undefined) return { line, reason: 'copy is neither true nor false' };
  const { callbackUrl, ...own } = others;
  const pairs = metadataOf(defaults.metadata, metadata, own);
  const registration = {
    ...defaults,
    requestId: id,
    ...(callbackUrl === undefined ? {} : { callbackUrl }),
    ...(events === undefined ? {} : { events: listOf(events) }),
    ...(given === undefined ? {} : { copy: given }),
    ...(pairs === undefined ? {} : { metadata: pairs }),
  };
  return { line, registration: registration as Registration };
}

/** The pairs of the flags, of the line, and of its columns, of which the later count. */
function metadataOf(defaults: Registration['metadata'], given: unknown, columns: Values): unknown {
  // The bridge says what is wrong with it.
  if (given !== undefined && (typeof given !== 'object' || Array.isArray(given))) return given;
  const own = Object.entries(columns).map(([field, value]) => [field.slice('metadata.'.length), value]);
  const pairs = { ...defaults, ...given, ...Object.fromEntries(own) };
  return Object.keys(pairs).length === 0 ? undefined : pairs;
}

const listOf = (value: unknown): unknown =>
  typeof value === 'string' ? value.split(/[\s,;]+/).filter((each) => each !== '') : value;

function booleanOf(value: unknown): boolean | undefined {
  const text = String(value).toLowerCase();
  if (['true', 'yes', '1'].includes(text)) return true;
  return ['false', 'no', '0'].includes(text) ? false : undefined;
}
