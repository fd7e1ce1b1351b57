import type { Memory } from './memory.ts';

export type Sample = {
  /** Since the start. */
  readonly atMs: number;
  /** Deliveries that are still to come of what was registered. */
  readonly backlog: number;
  /** MiB of the processes of a function together, and how many they are. */
  readonly memory: Readonly<Memory>;
};

const WIDTH = 760;
const HEIGHT = 380;
const plot = { left: 64, right: 600, top: 40, bottom: 330 };
const MINUTE = 60_000;
const COLORS = ['#0969da', '#bc4c00', '#8250df', '#1a7f37', '#cf222e', '#9a6700'];

/** MiB of each function's processes, each divided by their number, over time. */
export function chart(samples: readonly Sample[], restartedAtMs: number): string {
  const names = [...new Set(samples.flatMap(({ memory }) => Object.keys(memory)))]
    .filter((name) => name !== 'emulators')
    .sort();
  const mibOf = ({ memory }: Sample, name: string) =>
    memory[name] && memory[name].mib / memory[name].processes;
  const most = Math.max(...samples.flatMap((each) => names.map((name) => mibOf(each, name) ?? 0)));
  const lasts = samples.at(-1)?.atMs ?? 1;
  const x = (ms: number) => plot.left + ((plot.right - plot.left) * ms) / lasts;
  const top = Math.ceil(most / 50) * 50;
  const y = (mib: number) => plot.bottom - ((plot.bottom - plot.top) * mib) / top;
  const ticks = Array.from({ length: top / 50 + 1 }, (_, n) => n * 50);
  const minutes = Array.from({ length: Math.floor(lasts / MINUTE) + 1 }, (_, n) => n);
  const lines = names.map((name, n) => {
    const points = samples.flatMap((each) => {
      const mib = mibOf(each, name);
      return mib === undefined ? [] : `${x(each.atMs).toFixed(1)},${y(mib).toFixed(1)}`;
    });
    const color = COLORS[n % COLORS.length];
    return `<polyline points="${points.join(' ')}" style="stroke:${color}"/><circle cx="616" cy="${52 + 20 * n}" r="4" fill="${color}"/>${text(626, 56 + 20 * n, name, 'start')}`;
  });
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="title">`,
    '<title id="title">Memory of each process over time</title>',
    '<style>text { font: 13px system-ui, sans-serif; fill: #6e7781 } line { stroke: #8b949e; stroke-opacity: 0.3 } polyline { fill: none; stroke-width: 2 }</style>',
    ...ticks.map(
      (mib) => line(plot.left, y(mib), plot.right, y(mib)) + text(56, y(mib) + 4, `${mib}`, 'end'),
    ),
    ...minutes.map((minute) => text(x(minute * MINUTE), plot.bottom + 20, `${minute}`, 'middle')),
    text((plot.left + plot.right) / 2, HEIGHT - 10, 'minutes', 'middle'),
    text(plot.left - 40, plot.top - 16, 'MiB a process', 'start'),
    line(x(restartedAtMs), plot.top, x(restartedAtMs), plot.bottom),
    text(x(restartedAtMs), plot.top - 6, 'killed and started again', 'middle'),
    ...lines,
    '</svg>',
  ].join('\n')}\n`;
}

const line = (x1: number, y1: number, x2: number, y2: number): string =>
  `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}"/>`;
const text = (x: number, y: number, content: string, anchor: string): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${content}</text>`;
