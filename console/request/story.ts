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
  readonly shape: 'bar' | 'dot' | 'point' | 'diamond' | 'hollow';
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
 * All that a request's timeline holds, as marks on one axis.
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
  // Observations are kept to the nearest seconds: none is drawn after the job's end. A restart follows an end.
  const last = timeline.statuses.at(-1);
  const ended = last && isTerminal(last.status) ? Date.parse(last.at) : Infinity;
  const progress = timeline.observations.map(({ at, progress: percent }) => ({
    at: Math.min(Date.parse(at), ended),
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
    { id: 'polls', name: `Polls (${timeline.polls} in all)`, marks: pollMarks(request, timeline, progress) },
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

type Delivery = Timeline['deliveries'][number];

/** Whether a delivery is still to arrive. */
const isAwaited = ({ state }: Delivery): boolean => state === 'pending' || state === 'held';

/** The present while something goes on, and otherwise the last thing that happened. */
function endOf(request: VideoRequest, timeline: Timeline, now: number): number {
  const isOpen = request.state === 'active' || timeline.deliveries.some(isAwaited);
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

/** Progress is kept to the nearest second: what was seen within one is of one poll, ms. */
const ONE_POLL_MS = 1_000;

/** The polls that are known: those that saw something new, and the last one. */
function pollMarks(
  { lastPolledAt }: Pick<VideoRequest, 'lastPolledAt'>,
  { statuses }: Timeline,
  progress: Story['progress'],
): Mark[] {
  const news = [
    ...statuses
      .filter(({ status }) => status !== 'registered' && status !== 'lost')
      .map(({ status, at }) => ({ at: Date.parse(at), what: stageOf(status).label.toLowerCase() })),
    ...progress.map(({ at, progress: percent }) => ({ at, what: `${percent} %` })),
    ...(lastPolledAt ? [{ at: Date.parse(lastPolledAt), what: '' }] : []),
  ].sort((a, b) => a.at - b.at);
  const polls: { at: number; what: string[] }[] = [];
  for (const { at, what } of news) {
    const last = polls.at(-1);
    if (last && at - last.at <= ONE_POLL_MS) last.what.push(what);
    else polls.push({ at, what: [what] });
  }
  return polls.map(({ at, what }) => ({
    lane: 'polls',
    at,
    text: 'Poll',
    detail: `saw ${what.filter(Boolean).join(', ') || 'nothing new'}`,
    look: 'stage-early',
    shape: 'point',
  }));
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
    // Attempts are drawn over the waits, of which one may cover another's attempts.
    marks: [...own.flatMap((delivery) => waitMarks(delivery, now)), ...own.flatMap(attemptMarks)],
  }));
}

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

/** A shorter wait for the first attempt is the bridge's own work, ms. */
const MIN_FIRST_WAIT_MS = 5_000;

/**
 * The spans in which a delivery waited: for its first attempt, if that took long, and from a failed attempt to the
 * next success; to the present while it has not arrived.
 */
function waitMarks(delivery: Delivery, now: number): Mark[] {
  const { endpointId, type, state, timestamp, attempts, attemptCount, reason } = delivery;
  const spans: [number, number][] = [];
  const first = attempts[0] ? Date.parse(attempts[0].at) : isAwaited(delivery) ? now : undefined;
  const observed = Date.parse(timestamp);
  const isWhole = attemptCount === attempts.length;
  if (isWhole && first !== undefined && first - observed >= MIN_FIRST_WAIT_MS) spans.push([observed, first]);
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
    spans.push([from, isAwaited(delivery) ? now : Date.parse(attempts.at(-1)?.at ?? '')]);
  }
  return spans
    .filter(([start, until]) => until - start >= 1)
    .map(([at, until]) => ({
      lane: endpointId,
      at,
      until,
      text: `${capital(state)} ${type}`,
      detail: at === observed ? (reason ?? 'waited for its first attempt') : 'waited between attempts',
      look: 'is-waiting',
      shape: 'bar',
    }));
}
