import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { axisTime, localFull, localTime, utcTime } from '../parts/time.tsx';
import { span } from '../parts/words.ts';
import type { Lane, Mark, Story } from './story.ts';
import { layOut, placeOf, ticks } from './time-scale.ts';

const LABEL = 18;
const BAR = 16;
const LANE = LABEL + BAR + 10;
const CURVE = 62;
const AXIS = 26;
const TICK_PX = 92;
const EDGE = 8;
/** From the edge, within which a time would be cut off. */
const LABEL_ROOM = 32;
const MAX_ZOOM = 200;

/** What of the axis is seen, 0 to 1. */
type View = { readonly from: number; readonly to: number };
const ALL: View = { from: 0, to: 1 };

/**
 * A request's story on one axis. The arrow keys go from mark to mark, + and - zoom, Shift with an arrow moves
 * the view; what is chosen is told below in words.
 */
export function StoryChart({ story }: { readonly story: Story }) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useSignal(800);
  const view = useSignal<View>(ALL);
  const chosen = useSignal<number | undefined>(undefined);
  const drag = useRef<{ x: number; view: View } | undefined>(undefined);

  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      width.value = Math.max(240, entry?.contentRect.width ?? 800);
    });
    if (frame.current) observer.observe(frame.current);
    return () => observer.disconnect();
  }, []);

  const stretches = useMemo(() => layOut(story.instants, story.busy), [story]);
  const marks = useMemo(() => story.lanes.flatMap((lane) => lane.marks).sort((a, b) => a.at - b.at), [story]);
  const { from, to } = view.value;
  const inner = width.value - 2 * EDGE;
  const x = (time: number): number => EDGE + ((placeOf(stretches, time) - from) / (to - from)) * inner;
  const hasCurve = story.progress.length > 1;
  const tops = new Map(
    story.lanes.map((lane, i) => [lane.id, i * LANE + (hasCurve && i > 0 ? CURVE + LABEL : 0)]),
  );
  const height = story.lanes.length * LANE + (hasCurve ? CURVE + LABEL : 0) + AXIS;
  const mark = chosen.value === undefined ? undefined : marks[chosen.value];

  function zoom(factor: number, around = mark ? placeOf(stretches, mark.at) : (from + to) / 2): void {
    const size = Math.min(1, Math.max(1 / MAX_ZOOM, (to - from) * factor));
    const part = (around - from) / (to - from);
    view.value = bounded(around - part * size, size);
  }
  const pan = (part: number) => {
    view.value = bounded(from + part * (to - from), to - from);
  };
  function choose(index: number): void {
    chosen.value = Math.min(marks.length - 1, Math.max(0, index));
    const at = marks[chosen.value]?.at;
    if (at === undefined) return;
    const place = placeOf(stretches, at);
    if (place < from || place > to) view.value = bounded(place - (to - from) / 2, to - from);
  }
  function onKeyDown(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step && event.shiftKey) pan(step / 4);
    else if (step) choose((chosen.value ?? (step > 0 ? -1 : marks.length)) + step);
    else if (event.key === 'Home') choose(0);
    else if (event.key === 'End') choose(marks.length - 1);
    else if (event.key === '+' || event.key === '=') zoom(0.6);
    else if (event.key === '-') zoom(1 / 0.6);
    else if (event.key === '0') view.value = ALL;
    else return;
    event.preventDefault();
  }
  function onWheel(event: WheelEvent): void {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const left = frame.current?.getBoundingClientRect().left ?? 0;
    zoom(event.deltaY > 0 ? 1.25 : 0.8, from + ((event.clientX - left - EDGE) / inner) * (to - from));
  }
  useEffect(() => {
    const element = frame.current;
    element?.addEventListener('wheel', onWheel, { passive: false });
    return () => element?.removeEventListener('wheel', onWheel);
  });

  return (
    <div class="story">
      <div class="story-tools">
        <button type="button" aria-label="Zoom in" onClick={() => zoom(0.6)}>
          +
        </button>
        <button type="button" aria-label="Zoom out" onClick={() => zoom(1 / 0.6)}>
          −
        </button>
        <button type="button" disabled={view.value === ALL} onClick={() => (view.value = ALL)}>
          Whole story
        </button>
        <span class="subtle keys">← → from mark to mark, + − zoom, Shift ← → move</span>
      </div>
      <div
        class="story-frame"
        ref={frame}
        role="slider"
        tabIndex={0}
        aria-label="Timeline"
        aria-valuemin={0}
        aria-valuemax={Math.max(0, marks.length - 1)}
        aria-valuenow={chosen.value ?? 0}
        aria-valuetext={mark ? wordsOf(mark) : 'the whole story'}
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          drag.current = { x: event.clientX, view: view.value };
        }}
        onPointerMove={(event) => {
          const begun = drag.current;
          if (!begun || event.buttons === 0 || view.value === ALL) return;
          const moved = ((event.clientX - begun.x) / inner) * (begun.view.to - begun.view.from);
          view.value = bounded(begun.view.from - moved, begun.view.to - begun.view.from);
        }}
        onPointerUp={() => {
          drag.current = undefined;
        }}
      >
        <svg width={width.value} height={height} aria-hidden="true">
          <Axis stretches={stretches} x={x} width={width.value} height={height} zoom={to - from} />
          {story.lanes.map((lane) => (
            <LaneMarks
              key={lane.id}
              lane={lane}
              top={tops.get(lane.id) ?? 0}
              x={x}
              width={width.value}
              chosen={mark}
              onChoose={(each) => choose(marks.indexOf(each))}
            />
          ))}
          {hasCurve && <Curve points={story.progress} top={LANE} x={x} />}
          {mark && <line class="cursor" x1={x(mark.at)} x2={x(mark.at)} y1={0} y2={height - AXIS} />}
        </svg>
      </div>
      <p class="story-detail" role="status" title={mark && `${utcTime(mark.at)} UTC`}>
        {mark ? wordsOf(mark) : 'Choose a mark to read what it is.'}
      </p>
    </div>
  );
}

const wordsOf = ({ text, detail, at, until }: Mark): string =>
  [
    localFull(at),
    until ? `to ${localTime(until)} (${span(until - at)})` : '',
    '–',
    text,
    detail && `· ${detail}`,
  ]
    .filter(Boolean)
    .join(' ');

function bounded(from: number, size: number): View {
  if (size >= 1) return ALL;
  const start = Math.min(1 - size, Math.max(0, from));
  return { from: start, to: start + size };
}

type AxisProps = {
  readonly stretches: ReturnType<typeof layOut>;
  readonly x: (time: number) => number;
  readonly width: number;
  readonly height: number;
  /** The part of the axis that is seen. */
  readonly zoom: number;
};

function Axis({ stretches, x, width, height, zoom }: AxisProps) {
  const offset = -new Date().getTimezoneOffset() * 60_000;
  const times = ticks(stretches, (TICK_PX / width) * zoom, offset);
  return (
    <g class="axis">
      {stretches
        .filter(({ collapsed }) => collapsed)
        .map(({ from, to }) => (
          <g key={from}>
            <rect
              class="idle"
              x={x(from)}
              width={Math.max(0, x(to) - x(from))}
              y={0}
              height={height - AXIS}
            />
            <text x={(x(from) + x(to)) / 2} y={height - 6} text-anchor="middle" class="idle-text">
              {`⋯ ${span(to - from)}`}
            </text>
          </g>
        ))}
      {times.map((at) => (
        <g key={at}>
          <line x1={x(at)} x2={x(at)} y1={0} y2={height - AXIS + 4} />
          {x(at) > LABEL_ROOM && x(at) < width - LABEL_ROOM && (
            <text x={x(at)} y={height - 6} text-anchor="middle">
              <title>{`${utcTime(at)} UTC`}</title>
              {axisTime(at)}
            </text>
          )}
        </g>
      ))}
    </g>
  );
}

type LaneProps = {
  readonly lane: Lane;
  readonly top: number;
  readonly x: (time: number) => number;
  readonly width: number;
  readonly chosen: Mark | undefined;
  readonly onChoose: (mark: Mark) => void;
};

function LaneMarks({ lane, top, x, width, chosen, onChoose }: LaneProps) {
  const y = top + LABEL;
  let hollow = 0;
  return (
    <g>
      <line class="lane" x1={0} x2={width} y1={top} y2={top} />
      <text class="lane-name" x={EDGE} y={top + 13}>
        {lane.name}
      </text>
      {lane.marks.map((mark, i) => {
        hollow = mark.shape === 'hollow' ? hollow + 1 : 0;
        return (
          // biome-ignore lint/a11y/noStaticElementInteractions: by keyboard the slider around it chooses marks
          <g
            key={`${i}`}
            class={`mark ${mark.look} ${mark === chosen ? 'is-chosen' : ''}`}
            onPointerEnter={() => onChoose(mark)}
            onClick={() => onChoose(mark)}
          >
            <Shape mark={mark} x={x} y={y} shift={hollow * 9} />
          </g>
        );
      })}
    </g>
  );
}

type ShapeProps = {
  readonly mark: Mark;
  readonly x: (time: number) => number;
  readonly y: number;
  /** px to the left, for what has no time. */
  readonly shift: number;
};

function Shape({ mark, x, y, shift }: ShapeProps) {
  const left = x(mark.at);
  const middle = y + BAR / 2;
  switch (mark.shape) {
    case 'bar': {
      const width = Math.max(2, x(mark.until ?? mark.at) - left);
      const isWait = mark.look === 'is-waiting';
      const room = width > mark.text.length * 7 + 10 && !isWait;
      return (
        <>
          <rect
            x={left}
            y={isWait ? middle - 2 : y}
            width={width}
            height={isWait ? 4 : BAR}
            rx={isWait ? 2 : 3}
          />
          {room && (
            <text class="bar-text" x={left + 6} y={y + 12}>
              {mark.text}
            </text>
          )}
        </>
      );
    }
    case 'hollow':
      return <rect class="hollow" x={left - shift - 1} y={y + 1} width={7} height={BAR - 2} rx={2} />;
    case 'point':
      return <circle cx={left} cy={middle} r={3.5} />;
    case 'diamond':
      return <path d={`M${left} ${middle - 7}l7 7l-7 7l-7 -7z`} />;
    case 'dot':
      return mark.look === 'is-bad' ? (
        <path class="cross" d={`M${left - 4} ${middle - 4}l8 8m0 -8l-8 8`} />
      ) : (
        <circle cx={left} cy={middle} r={5.5} />
      );
  }
}

type CurveProps = {
  readonly points: Story['progress'];
  readonly top: number;
  readonly x: (time: number) => number;
};

/** The progress, with a dot for each poll that saw some. */
function Curve({ points, top, x }: CurveProps) {
  const y = (percent: number) => top + LABEL + (1 - percent / 100) * (CURVE - 8);
  const last = points.at(-1);
  return (
    <g class="curve">
      <text class="lane-name" x={EDGE} y={top + 13}>
        {`Progress, as polls saw it${last ? `: ${Math.round(last.progress)} %` : ''}`}
      </text>
      <line class="lane" x1={0} x2="100%" y1={top} y2={top} />
      <polyline points={points.map(({ at, progress }) => `${x(at)},${y(progress)}`).join(' ')} />
      {points.map(({ at, progress }) => (
        <circle key={at} cx={x(at)} cy={y(progress)} r={2} />
      ))}
    </g>
  );
}
