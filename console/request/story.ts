import type { Endpoint, Timeline, VideoRequest } from '../../client/client.ts';
import { isTaken } from '../parts/is-taken.ts';
import { eventColor, isTerminal, isWorking, stageOf } from '../parts/stages.ts';
import { bytes, capital, span } from '../parts/words.ts';

/** Something that happened, or went on from `at` to `until` (ms since epoch). */
export type Mark = {
  readonly lane: string;
  readonly at: number;
  readonly until?: number;
  /** What it is, in a few words. */
  readonly text: string;
  readonly detail?: string;
  /** How it is drawn: a class of the style sheet. */
  readonly look: string;
  readonly shape: 'bar' | 'dot' | 'diamond' | 'hollow';
};

/** A row of the chart. */
export type Lane = { readonly id: string; readonly name: string; readonly marks: readonly Mark[] };

export type Story = {
  readonly lanes: readonly Lane[];
  readonly progress: readonly { readonly at: number; readonly progress: number }[];
  /** When something happened, in order. */
  readonly instants: readonly number[];
  readonly busy: readonly (readonly [number, number])[];
  /** What a person calls an endpoint. */
  readonly nameOf: (endpointId: string) => string;
};

/**
 * All that a request's time line holds, as marks on one axis.
 *
 * @param now ms since epoch; what still goes on reaches to it
 */
export function storyOf(
  request: VideoRequest,
  timeline: Timeline,
  endpoints: readonly Pick<Endpoint, 'id' | 'url' | 'description'>[],
  now: number,
): Story {
  const end = endOf(request, timeline, now);
  const status = statusMarks(timeline, end);
  const copy = copyMarks(timeline, end);
  // Observations are kept to the nearest seconds: none is drawn after the job's end.
  const ended = Date.parse(timeline.statuses.find((each) => isTerminal(each.status))?.at ?? '');
  const progress = timeline.observations.map(({ at, progress: percent }) => ({
    at: Math.min(Date.parse(at), Number.isNaN(ended) ? Infinity : ended),
    progress: percent,
  }));
  const events = timeline.events.map(({ type, at, sequence }): Mark => {
    const detail = type === 'progress.updated' ? 'sent for those who asked for it' : `event ${sequence}`;
    return {
      lane: 'events',
      at: Date.parse(at),
      text: type,
      detail,
      look: eventColor(type),
      shape: 'diamond',
    };
  });
  const nameOf = (id: string): string => {
    const endpoint = endpoints.find((each) => each.id === id);
    const callback = request.callbacks.find(({ endpointId }) => endpointId === id);
    return endpoint?.description || endpoint?.url || callback?.url || id;
  };
  const lanes: Lane[] = [
    { id: 'status', name: 'Status', marks: status },
    { id: 'copy', name: 'Copy to the bucket', marks: copy },
    { id: 'events', name: 'Events', marks: events },
    ...deliveryLanes(timeline, nameOf, now),
  ];
  const marks = lanes.flatMap((lane) => lane.marks);
  const instants = [
    ...marks.flatMap(({ at, until }) => (until === undefined ? [at] : [at, until])),
    ...progress.map(({ at }) => at),
    end,
  ].sort((a, b) => a - b);
  const busy = [...status, ...copy]
    .filter(({ look, shape }) => shape === 'bar' && !look.includes('is-waiting'))
    .map(({ at, until = at }) => [at, until] as const);
  return { lanes: lanes.filter((lane) => lane.marks.length > 0), progress, instants, busy, nameOf };
}

const isBetweenAttempts = ({ state, attempts }: Timeline['deliveries'][number]): boolean =>
  state === 'pending' && attempts.length > 0;

/** The present while something goes on, and otherwise the last thing that happened. */
function endOf(request: VideoRequest, timeline: Timeline, now: number): number {
  const isOpen = request.state === 'active' || timeline.deliveries.some(isBetweenAttempts);
  if (isOpen) return now;
  const times = [
    ...timeline.statuses.map(({ at }) => at),
    ...timeline.events.map(({ at }) => at),
    ...timeline.deliveries.flatMap(({ attempts }) => attempts.map(({ at }) => at)),
    timeline.copy?.storedAt ?? request.registeredAt,
  ];
  return Math.max(...times.map((at) => Date.parse(at)));
}

function statusMarks({ statuses }: Timeline, end: number): Mark[] {
  return statuses.flatMap(({ status, at, until, skipped = [] }): Mark[] => {
    const from = Date.parse(at);
    const { label, color } = stageOf(status);
    const isEnd = isTerminal(status);
    const to = until === undefined ? end : Date.parse(until);
    const hollow = skipped.map(
      (name): Mark => ({
        lane: 'status',
        at: from,
        text: `${stageOf(name).label} (no poll saw it)`,
        detail: `passed between two polls, before ${label.toLowerCase()}`,
        look: stageOf(name).color,
        shape: 'hollow',
      }),
    );
    if (isEnd) return [...hollow, { lane: 'status', at: from, text: label, look: color, shape: 'dot' }];
    const waits = isWorking(status) ? '' : ' is-waiting';
    const detail = `${isWorking(status) ? 'worked' : 'waited'} for ${span(to - from)}`;
    return [
      ...hollow,
      { lane: 'status', at: from, until: to, text: label, detail, look: color + waits, shape: 'bar' },
    ];
  });
}

const COPY_LOOKS = {
  pending: 'stage-copy is-waiting',
  copying: 'stage-copy',
  stored: 'stage-copy',
  failed: 'stage-failed',
};

function copyMarks({ copy }: Timeline, end: number): Mark[] {
  if (!copy?.startedAt) return [];
  const from = Date.parse(copy.startedAt);
  const to = copy.storedAt ? Date.parse(copy.storedAt) : end;
  const { state, size, copiedBytes = 0, bytesPerSecond, error } = copy;
  const speed =
    state === 'stored' && size && to > from
      ? (size / (to - from)) * 1000
      : state === 'copying'
        ? bytesPerSecond
        : undefined;
  const amount =
    state === 'copying' && size ? `${bytes(copiedBytes)} of ${bytes(size)}` : size ? bytes(size) : '';
  const detail = [amount, speed ? `${bytes(speed)}/s` : '', error ?? ''].filter(Boolean).join(', ');
  const look = COPY_LOOKS[state];
  return [{ lane: 'copy', at: from, until: to, text: `Copy ${state}`, detail, look, shape: 'bar' }];
}

function deliveryLanes({ deliveries }: Timeline, nameOf: Story['nameOf'], now: number): Lane[] {
  return [...Map.groupBy(deliveries, ({ endpointId }) => endpointId)].map(([id, own]) => ({
    id,
    name: nameOf(id),
    marks: own.flatMap((delivery) => [...waitMarks(delivery, now), ...attemptMarks(delivery)]),
  }));
}

type Delivery = Timeline['deliveries'][number];

function attemptMarks({ endpointId, type, attempts, attemptCount }: Delivery): Mark[] {
  return attempts.map((attempt, i) => {
    const { at, durationMs, statusCode, error, reason } = attempt;
    const taken = isTaken(attempt);
    const outcome = taken
      ? `delivered${statusCode ? ` (${statusCode})` : ''}`
      : (reason ?? error ?? `answered ${statusCode}`);
    return {
      lane: endpointId,
      at: Date.parse(at),
      text: `${type}: ${outcome}`,
      detail: `attempt ${attemptCount - attempts.length + i + 1}, took ${span(durationMs)}`,
      look: taken ? 'is-good' : 'is-bad',
      shape: 'dot',
    };
  });
}

/** The spans from a failed attempt to the next success, or to the present while there is none yet. */
function waitMarks({ endpointId, type, state, attempts, nextAttemptAt }: Delivery, now: number): Mark[] {
  const spans: [number, number][] = [];
  let from: number | undefined;
  for (const attempt of attempts) {
    const at = Date.parse(attempt.at);
    if (!isTaken(attempt)) from ??= at;
    else if (from !== undefined) {
      spans.push([from, at]);
      from = undefined;
    }
  }
  if (from !== undefined) {
    const isToCome = state === 'pending' && nextAttemptAt !== undefined;
    spans.push([from, isToCome ? now : Date.parse(attempts.at(-1)?.at ?? '')]);
  }
  return spans
    .filter(([start, until]) => until - start >= 1)
    .map(([at, until]) => ({
      lane: endpointId,
      at,
      until,
      text: `${capital(state)} ${type}`,
      detail: 'waits between attempts',
      look: 'is-waiting',
      shape: 'bar',
    }));
}
