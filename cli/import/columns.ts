import { usageError } from '../frame/failure.ts';

/** What the values of a column are for. */
export type Field = 'requestId' | 'callbackUrl' | 'events' | 'copy' | `metadata.${string}`;

/** Names of columns that need no `--column`, without case and punctuation; earlier ones come first. */
const NAMES: readonly (readonly [Field, readonly string[]])[] = [
  ['requestId', ['requestid', 'topazrequestid', 'topazid', 'request', 'uuid', 'id']],
  ['callbackUrl', ['callbackurl', 'callback', 'webhookurl', 'webhook']],
  ['events', ['events']],
  ['copy', ['copy']],
];
const METADATA = /^meta(?:data)?[.:_ ](.+)$/i;

/**
 * Parses `--column NAME=FIELD`; `metadata` alone keeps the column's name.
 *
 * @throws {Failure} it has another form
 */
export function parseColumns(texts: readonly string[] = []): Map<string, Field> {
  return new Map(
    texts.map((text) => {
      const at = text.lastIndexOf('=');
      const name = text.slice(0, at).trim();
      const field = fieldOf(text.slice(at + 1).trim(), name);
      if (at < 1 || !name || !field)
        throw usageError(
          `--column takes NAME=FIELD, not "${text}"; a field is requestId, callbackUrl, events, copy or metadata.NAME.`,
        );
      return [name, field];
    }),
  );
}

function fieldOf(text: string, name: string): Field | undefined {
  if (text === 'metadata') return `metadata.${name}`;
  if (/^metadata\../.test(text)) return text as Field;
  return NAMES.map(([field]) => field).find((field) => field.toLowerCase() === text.toLowerCase());
}

/** What each of the names is for: as `--column` says, or by the name itself; undefined for the others. */
export function fieldsOf(names: readonly string[], given: ReadonlyMap<string, Field>): (Field | undefined)[] {
  const taken = new Set(given.values());
  const fields = names.map((name): Field | undefined => given.get(name) ?? metadataField(name));
  for (const [field, known] of NAMES) {
    if (taken.has(field)) continue;
    const plain = names.map((name) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, ''));
    const found = known.map((each) => plain.indexOf(each)).find((at) => at >= 0);
    if (found !== undefined) fields[found] ??= field;
  }
  return fields;
}

function metadataField(name: string): Field | undefined {
  const [, own] = METADATA.exec(name) ?? [];
  return own === undefined ? undefined : `metadata.${own}`;
}
