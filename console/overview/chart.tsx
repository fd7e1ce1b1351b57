import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { Time } from '../parts/time.tsx';
import { plural, whole } from '../parts/words.ts';

type Point = { readonly at: string; readonly value: number };

type ChartProps = {
  readonly name: string;
  readonly points: readonly Point[];
  /** A custom property with the color. */
  readonly color: string;
  readonly kind: 'good' | 'bad';
};

const HEIGHT = 110;

/** One series over time, as bars, with its sum in words. */
export function Chart({ name, points, color, kind }: ChartProps) {
  const frame = useRef<HTMLDivElement>(null);
  /** Under the viewer's pointer. */
  const pointed = useSignal<Point | undefined>(undefined);
  const total = points.reduce((sum, { value }) => sum + value, 0);

  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const style = getComputedStyle(element);
    const ink = style.getPropertyValue('color');
    const fill = resolved(element, color);
    const grid = resolved(element, '--line');
    const spanMs = Date.parse(points.at(-1)?.at ?? '') - Date.parse(points[0]?.at ?? '');
    const data: uPlot.AlignedData = [
      points.map(({ at }) => Date.parse(at) / 1000),
      // Bars of nothing would be drawn as a line.
      points.map(({ value }) => value || null),
    ];
    const axis = {
      stroke: ink,
      grid: { stroke: grid, width: 1 },
      ticks: { show: false },
      font: '11px system-ui',
    };
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { y: false, points: { show: false } },
        hooks: { setCursor: [({ cursor: { idx } }) => (pointed.value = points[idx ?? -1])] },
        scales: { y: { range: (_, _min, max) => [0, Math.max(4, max * 1.1)] } },
        axes: [
          {
            ...axis,
            grid: { show: false },
            size: 24,
            space: 60,
            values: (_, splits) => splits.map((at) => inWords(at * 1000, spanMs)),
          },
          { ...axis, size: 40, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 10_000, 100_000] },
        ],
        series: [
          {},
          {
            stroke: fill,
            fill,
            paths: uPlot.paths.bars?.({ size: [0.8, 24] }),
            points: { show: false },
          },
        ],
      },
      data,
      element,
    );
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [points, color]);

  return (
    <figure class="chart">
      <figcaption>
        {name}{' '}
        {pointed.value ? (
          <span>
            {whole.format(pointed.value.value)} at <Time at={pointed.value.at} />
          </span>
        ) : (
          <strong class={kind === 'bad' && total > 0 ? 'is-bad' : ''}>{whole.format(total)}</strong>
        )}
      </figcaption>
      <div ref={frame} role="img" aria-label={`${name}: ${plural(total, 'in all', 'in all')}`} />
    </figure>
  );
}

const DAY_MS = 86_400_000;
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const DAY = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' });

const inWords = (at: number, spanMs: number): string => (spanMs > DAY_MS ? DAY : CLOCK).format(at);

/** A color of the style sheet as the canvas takes it, light or dark. */
function resolved(element: HTMLElement, property: string): string {
  const sample = document.createElement('span');
  sample.style.color = `var(${property})`;
  element.append(sample);
  const { color } = getComputedStyle(sample);
  sample.remove();
  return color;
}
