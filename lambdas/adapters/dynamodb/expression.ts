import type { RowKey } from '../../domain/work.ts';

/** A clause of a conditional write: what one attribute of the row must be. */
export type Condition = {
  readonly attribute: string;
  readonly is: '=' | '<' | '<=' | '>' | '>=' | 'absent' | 'present';
  readonly value?: unknown;
};

export const equals = (attribute: string, value: unknown): Condition => ({ attribute, is: '=', value });
export const absent = (attribute: string): Condition => ({ attribute, is: 'absent' });
export const present = (attribute: string): Condition => ({ attribute, is: 'present' });
/** That an attribute is still as it was read; `undefined` when the row had none. */
export const asRead = (attribute: string, value: unknown): Condition =>
  value === undefined ? absent(attribute) : equals(attribute, value);
export const below = (attribute: string, value: number): Condition => ({ attribute, is: '<', value });

/**
 * One write as data, so that it can stand alone or be one of a transaction. Attribute names with
 * dots are paths into maps (`video.state`); `undefined` values in `set` are left out.
 */
export type Write = { readonly if?: readonly Condition[] } & (
  | { readonly put: RowKey & Record<string, unknown> }
  | {
      readonly update: RowKey;
      readonly set?: Readonly<Record<string, unknown>>;
      readonly setIfAbsent?: Readonly<Record<string, unknown>>;
      readonly add?: Readonly<Record<string, number>>;
      /** Puts items behind those of a list, which is made when it is missing. */
      readonly append?: Readonly<Record<string, readonly unknown[]>>;
      readonly remove?: readonly string[];
    }
  | { readonly delete: RowKey }
  | { readonly check: RowKey }
);

/** The key of the row that a write is of. */
export function keyOfWrite(write: Write): RowKey {
  if ('put' in write) return write.put;
  if ('update' in write) return write.update;
  return 'delete' in write ? write.delete : write.check;
}

type Expressions = {
  ConditionExpression?: string;
  UpdateExpression?: string;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Record<string, unknown>;
};

/** Writes a {@link Write} in DynamoDB's expression language. */
export function expressions(write: Write): Expressions {
  const names: Record<string, string> = {};
  const values: Record<string, unknown> = {};
  const placeholders = new Map<string, string>();

  const name = (path: string): string =>
    path
      .split('.')
      .map((part) => {
        let placeholder = placeholders.get(part);
        if (!placeholder) {
          placeholder = `#${placeholders.size}`;
          placeholders.set(part, placeholder);
          names[placeholder] = part;
        }
        return placeholder;
      })
      .join('.');
  const value = (v: unknown): string => {
    const placeholder = `:${Object.keys(values).length}`;
    values[placeholder] = v;
    return placeholder;
  };

  const condition = (write.if ?? []).map((clause) => {
    if (clause.is === 'absent') return `attribute_not_exists(${name(clause.attribute)})`;
    if (clause.is === 'present') return `attribute_exists(${name(clause.attribute)})`;
    return `${name(clause.attribute)} ${clause.is} ${value(clause.value)}`;
  });

  const sections: string[] = [];
  if ('update' in write) {
    refuseOverlaps(write);
    const given = (record: Readonly<Record<string, unknown>> | undefined) =>
      Object.entries(record ?? {}).filter(([, v]) => v !== undefined);
    const sets = [
      ...given(write.set).map(([path, v]) => `${name(path)} = ${value(v)}`),
      ...given(write.setIfAbsent).map(
        ([path, v]) => `${name(path)} = if_not_exists(${name(path)}, ${value(v)})`,
      ),
      ...given(write.append).map(
        ([path, v]) => `${name(path)} = list_append(if_not_exists(${name(path)}, ${value([])}), ${value(v)})`,
      ),
    ];
    const adds = given(write.add).map(([path, v]) => `${name(path)} ${value(v)}`);
    const removes = (write.remove ?? []).map(name);
    if (sets.length > 0) sections.push(`SET ${sets.join(', ')}`);
    if (adds.length > 0) sections.push(`ADD ${adds.join(', ')}`);
    if (removes.length > 0) sections.push(`REMOVE ${removes.join(', ')}`);
  }

  return {
    ...(condition.length > 0 ? { ConditionExpression: condition.join(' AND ') } : {}),
    ...(sections.length > 0 ? { UpdateExpression: sections.join(' ') } : {}),
    ...(placeholders.size > 0 ? { ExpressionAttributeNames: names } : {}),
    ...(Object.keys(values).length > 0 ? { ExpressionAttributeValues: values } : {}),
  };
}

/** Throws when an update names an attribute twice, or a map and an entry of it: DynamoDB refuses that, emulators may not. */
function refuseOverlaps(update: Extract<Write, { update: unknown }>): void {
  const changed = [update.set, update.add, update.append, update.setIfAbsent].flatMap((record) =>
    Object.entries(record ?? {}).flatMap(([path, v]) => (v === undefined ? [] : path)),
  );
  const paths = [...changed, ...(update.remove ?? [])];
  const named = new Set(paths);
  const twice = paths.find((path, i) => paths.indexOf(path) < i);
  const overlap = twice ?? paths.flatMap(mapsAround).find((map) => named.has(map));
  if (overlap) throw new Error(`an update changes "${overlap}" twice`);
}

/** The paths of the maps that an attribute lies in: of `a.b.c` they are `a` and `a.b`. */
function mapsAround(path: string): string[] {
  const parts = path.split('.');
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('.'));
}
