import { PRICE_OF_POLL } from '../../lambdas/domain/polling/poll-schedule.ts';
import type { Curve, Point } from './frontier.ts';

const WIDTH = 760;
const HEIGHT = 440;
const plot = { left: 64, right: 736, top: 56, bottom: 384 };
const xTicks = [5, 10, 20, 50, 100, 200];
const yTicks = [1, 2, 5, 10, 20, 50, 100];
const colors = ['fixed', 'growing', 'bridge'];

/** The curves as an SVG, both axes logarithmic, for light and dark pages. */
export function chart(curves: readonly Curve[]): string {
  const points = curves.flatMap((curve) => curve.points.map(({ result }) => result));
  const x = axis(
    xTicks,
    points.map((point) => point.pollsPerJob),
    plot.left,
    plot.right,
  );
  const y = axis(
    yTicks,
    points.map((point) => point.completeMean),
    plot.bottom,
    plot.top,
  );
  const at = ({ result }: Point) => [x(result.pollsPerJob), y(result.completeMean)] as const;

  const lines = curves.map(({ points }, n) => {
    const path = points.map((point) => at(point).map(round).join(',')).join(' ');
    const dots = points.map(
      (point) => `<circle cx="${round(at(point)[0])}" cy="${round(at(point)[1])}" r="3"/>`,
    );
    return `<g class="${colors[n]}"><polyline points="${path}"/>${dots.join('')}</g>`;
  });
  const chosen = curves.at(-1)?.points.find(({ label }) => label === `${PRICE_OF_POLL} s`);
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="title">`,
    '<title id="title">Polls per job against the mean lateness of complete</title>',
    style,
    ...xTicks.map((tick) => grid(x(tick), plot.top, x(tick), plot.bottom)),
    ...yTicks.map((tick) => grid(plot.left, y(tick), plot.right, y(tick))),
    ...xTicks.map((tick) => text(x(tick), plot.bottom + 20, `${tick}`, 'middle')),
    ...yTicks.map((tick) => text(plot.left - 10, y(tick) + 4, `${tick}`, 'end')),
    text((plot.left + plot.right) / 2, HEIGHT - 14, 'polls per job', 'middle'),
    text(plot.left - 46, plot.top - 30, 'mean lateness of complete (s)', 'start'),
    ...lines,
    ...curves.map(({ name }, n) => legend(name, colors[n]!, n)),
    ...(chosen ? [mark(...at(chosen), 'deployed')] : []),
    '</svg>',
  ].join('\n')}\n`;
}

const style = `<style>
  text { font: 13px system-ui, sans-serif; fill: #444c56 }
  .grid { stroke: #8b949e; stroke-opacity: 0.3 }
  polyline { fill: none; stroke: currentColor; stroke-width: 2 }
  circle { fill: currentColor }
  .ring { fill: none; stroke: currentColor; stroke-width: 2 }
  .fixed { color: #8250df } .growing { color: #bc4c00 } .bridge { color: #0969da }
  @media (prefers-color-scheme: dark) {
    text { fill: #adbac7 }
    .fixed { color: #b083f0 } .growing { color: #e0823d } .bridge { color: #539bf5 }
  }
</style>`;

/** Where a value stands between two edges on a logarithmic scale that holds all ticks and values. */
function axis(ticks: readonly number[], values: readonly number[], from: number, to: number) {
  const [low, high] = [Math.min(...ticks, ...values), Math.max(...ticks, ...values)].map(Math.log) as [
    number,
    number,
  ];
  return (value: number) => from + ((to - from) * (Math.log(value) - low)) / (high - low);
}

const round = (value: number): number => Math.round(value * 10) / 10;
const grid = (x1: number, y1: number, x2: number, y2: number): string =>
  `<line class="grid" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`;
const text = (x: number, y: number, content: string, anchor: string): string =>
  `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${content}</text>`;
const legend = (name: string, color: string, n: number): string =>
  `<circle class="${color}" cx="${plot.right - 210}" cy="${plot.top + 14 + 20 * n}" r="4"/>${text(plot.right - 198, plot.top + 18 + 20 * n, name, 'start')}`;
const mark = (x: number, y: number, label: string): string =>
  `<circle class="bridge ring" cx="${round(x)}" cy="${round(y)}" r="7"/>${text(x - 12, y + 18, label, 'end')}`;
