/** Numbers and spans of time, in words. */

const SIZES = ['B', 'kB', 'MB', 'GB', 'TB'];
export const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });

/** Bytes as people read them, such as `1.4 MB`. */
export function bytes(count: number): string {
  const power = Math.min(SIZES.length - 1, count < 1000 ? 0 : Math.floor(Math.log10(count) / 3));
  const value = count / 1000 ** power;
  return `${value >= 100 || power === 0 ? value.toFixed(0) : value.toFixed(1)} ${SIZES[power]}`;
}

/** A span of time, such as `2 h 5 min`. */
export function span(ms: number): string {
  if (Math.round(ms) < 1000) return `${Math.round(ms)} ms`;
  const tenths = Math.round(ms / 100);
  if (tenths < 100) return `${(tenths / 10).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return join(minutes, 'min', seconds % 60, 's', minutes >= 10);
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return join(hours, 'h', minutes % 60, 'min', false);
  return join(Math.floor(hours / 24), 'days', hours % 24, 'h', false);
}

const join = (big: number, unit: string, small: number, smallUnit: string, alone: boolean): string =>
  small === 0 || alone ? `${big} ${unit}` : `${big} ${unit} ${small} ${smallUnit}`;

/** `3 min ago`, `in 20 s`, or `now`. */
export function agoInWords(ms: number): string {
  if (Math.abs(ms) < 1_500) return 'now';
  return ms > 0 ? `${roughly(ms)} ago` : `in ${roughly(-ms)}`;
}

const UNITS = [
  [172_800_000, 86_400_000],
  [3_600_000, 3_600_000],
  [60_000, 60_000],
] as const;

/** A span that goes on, in one unit: 20 s, 3 min, 5 h, 2 days. */
export function roughly(ms: number): string {
  const unit = UNITS.find(([least]) => ms >= least)?.[1] ?? 1_000;
  return span(Math.floor(ms / unit) * unit).replace('.0', '');
}

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${whole.format(count)} ${count === 1 ? one : many}`;

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
