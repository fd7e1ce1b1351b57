/** A stretch of time and where it lies on the axis, 0 to 1. One that is collapsed shows less than its share. */
type Stretch = {
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly end: number;
  readonly collapsed: boolean;
};

/** Only longer stretches are collapsed, ms. */
const MIN_IDLE_MS = 30_000;
/** Of what is not collapsed, a stretch takes at most this part. */
const MAX_PART = 0.3;
/** What a collapsed stretch takes of the axis. */
const COLLAPSED = 0.04;

/**
 * Lays a span of time out on an axis. Where nothing happens for long, and nothing is under way, the axis is
 * shortened, so that a retry after ten hours does not press the first minutes into one line.
 *
 * @param instants when something happened, ms since epoch
 * @param busy when work was under way; these are never shortened
 */
export function layOut(
  instants: readonly number[],
  busy: readonly (readonly [from: number, to: number])[],
): Stretch[] {
  const times = [...new Set(instants)].sort((a, b) => a - b);
  const gaps = times.slice(1).map((to, i) => {
    const from = times[i] ?? to;
    const isBusy = busy.some(([start, end]) => start < to && end > from);
    return { from, to, isBusy, collapsed: false };
  });
  let shown = sum(gaps.map(({ from, to }) => to - from));
  for (const gap of [...gaps].sort((a, b) => b.to - b.from - (a.to - a.from))) {
    const length = gap.to - gap.from;
    if (gap.isBusy || length < MIN_IDLE_MS || length < shown * MAX_PART || gaps.length < 3) continue;
    gap.collapsed = true;
    shown -= length;
  }
  const collapsed = gaps.filter((gap) => gap.collapsed).length;
  const rest = 1 - collapsed * COLLAPSED;
  let at = 0;
  return gaps.map(({ from, to, collapsed: isShort }) => {
    const start = at;
    at += isShort ? COLLAPSED : shown > 0 ? ((to - from) / shown) * rest : rest / gaps.length;
    return { from, to, start, end: at, collapsed: isShort };
  });
}

/** Where a time lies on the axis, 0 to 1. */
export function placeOf(stretches: readonly Stretch[], time: number): number {
  const stretch = stretches.find(({ to }) => time <= to) ?? stretches.at(-1);
  if (!stretch) return 0;
  const { from, to, start, end } = stretch;
  const part = to === from ? 0 : (time - from) / (to - from);
  return start + Math.min(1, Math.max(0, part)) * (end - start);
}

const SECOND = 1_000;
const STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400, 172_800, 604_800,
].map((seconds) => seconds * SECOND);

/**
 * Round times for the axis, no two of them nearer than `gap`.
 *
 * @param gap part of the axis
 */
export function ticks(stretches: readonly Stretch[], gap: number, zoneOffsetMs = 0): number[] {
  const shown = stretches.filter(({ collapsed }) => !collapsed);
  const width = sum(shown.map(({ start, end }) => end - start));
  const ms = sum(shown.map(({ from, to }) => to - from));
  const step = STEPS.find((each) => (each / Math.max(1, ms)) * width >= gap);
  if (step === undefined) return [];
  const found: number[] = [];
  for (const { from, to } of shown) {
    const first = Math.ceil((from + zoneOffsetMs) / step) * step - zoneOffsetMs;
    for (let at = first; at <= to; at += step) {
      const last = found.at(-1);
      const isFar = last === undefined || placeOf(stretches, at) - placeOf(stretches, last) >= gap * 0.999;
      if (isFar) found.push(at);
    }
  }
  return found;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);
