/** Characters that may steer a terminal. */
const STEERING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The text with control and formatting characters as `\u{...}`: what others sent must not steer the terminal. */
export const printable = (text: string): string =>
  text.replace(STEERING, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);

/** A value as one line of JSON. Characters that may steer a terminal are escaped, so it means the same to programs. */
export const jsonLine = (value: unknown): string =>
  `${JSON.stringify(value).replace(STEERING, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  )}\n`;

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Bytes for people, such as `12.3 MB`. */
export function bytesText(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${UNITS[power]}`;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** A duration for people, in its two largest units, such as `2 h 5 min`. */
export function durationText(ms: number): string {
  if (ms < SECOND_MS) return `${Math.round(ms)} ms`;
  if (ms < MINUTE_MS) return `${Math.round(ms / SECOND_MS)} s`;
  const two = (large: number, name: string, small: number, smallName: string) => {
    const count = Math.floor(ms / large);
    const rest = Math.floor((ms % large) / small);
    return rest === 0 ? `${count} ${name}` : `${count} ${name} ${rest} ${smallName}`;
  };
  if (ms < HOUR_MS) return two(MINUTE_MS, 'min', SECOND_MS, 's');
  if (ms < DAY_MS) return two(HOUR_MS, 'h', MINUTE_MS, 'min');
  return two(DAY_MS, 'd', HOUR_MS, 'h');
}

const BAR_WIDTH = 20;

/** `share` from 0 to 1. */
export function bar(share: number): string {
  const filled = Math.floor(Math.min(1, Math.max(0, share)) * BAR_WIDTH);
  return `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`;
}

/** `2026-11-26 20:15:02` of an ISO 8601 time, in UTC. */
export const timeText = (iso: string): string => iso.slice(0, 19).replace('T', ' ');

/** Rows under their heads; the last column is not padded. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const shown = rows.map((row) => row.map(printable));
  const widths = heads.map((head, n) => Math.max(head.length, ...shown.map((row) => row[n]?.length ?? 0)));
  return [heads, ...shown].map((row) =>
    row
      .map((cell, n) => (n === heads.length - 1 ? cell : cell.padEnd(widths[n] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
