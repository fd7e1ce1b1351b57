import { usageError } from './failure.ts';

const UNITS: Readonly<Record<string, number>> = { s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 };

const GIVE_A_TIME = 'give 2026-11-26T20:00Z, or 2h for two hours ago';

/** A time as ISO 8601, or as how long ago it was, such as `2h` or `7d`; as ISO 8601. */
export function parseTime(text: string, now: number = Date.now()): string {
  const time = readTime(text, now);
  if (time === undefined) throw usageError(`"${text}" is not a time: ${GIVE_A_TIME}.`);
  return time;
}

/** The same for a flag, which stricli names in its message, with the text. */
function parseTimeFlag(text: string): string {
  const time = readTime(text, Date.now());
  if (time === undefined) throw new Error(GIVE_A_TIME);
  return time;
}

function readTime(text: string, now: number): string | undefined {
  const ago = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text);
  const at = ago ? now - Number(ago[1]) * (UNITS[ago[2] ?? ''] ?? 0) : Date.parse(text);
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}

/** A number in bounds, for the flag or argument that stricli names in its message. */
export const numberBetween = (least: number, most: number, { of = '', whole = true } = {}) =>
  function parse(text: string): number {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!(value >= least && value <= most) || (whole && !Number.isInteger(value)))
      throw new Error(`give a ${whole ? 'whole ' : ''}number${of && ` of ${of}`} from ${least} to ${most}`);
    return value;
  };

/** `name=value` pairs as an object; the first `=` separates. */
export function parsePairs(
  texts: readonly string[] | undefined,
  flag: string,
): Record<string, string> | undefined {
  if (!texts || texts.length === 0) return undefined;
  const pairs = texts.map((text): [string, string] => {
    const at = text.indexOf('=');
    if (at < 1) throw usageError(`--${flag} takes name=value, not "${text}".`);
    return [text.slice(0, at), text.slice(at + 1)];
  });
  return Object.fromEntries(pairs);
}

/** Flags that stand in many commands. */
export const FLAGS = {
  yes: { kind: 'boolean', brief: 'Do not ask', optional: true, withNegated: false },
  limit: {
    kind: 'parsed',
    parse: numberBetween(1, 1_000_000),
    brief: 'How many at most',
    placeholder: 'N',
    default: '50',
  },
  since: {
    kind: 'parsed',
    parse: parseTimeFlag,
    brief: 'From this time on: ISO 8601, or 2h for two hours ago',
    placeholder: 'TIME',
  },
  until: {
    kind: 'parsed',
    parse: parseTimeFlag,
    brief: 'Before this time',
    placeholder: 'TIME',
    optional: true,
  },
  eventType: {
    kind: 'parsed',
    parse: String,
    brief: 'Only of this type of event, or of a prefix with .*',
    placeholder: 'TYPE',
    optional: true,
  },
} as const;

/** Positional arguments of one kind. */
export const many = (placeholder: string, brief: string) =>
  ({ kind: 'array', minimum: 1, parameter: { parse: String, brief, placeholder } }) as const;
export const one = (placeholder: string, brief: string) =>
  ({ kind: 'tuple', parameters: [{ parse: String, brief, placeholder }] }) as const;
