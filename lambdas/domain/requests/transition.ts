import type { EventDraft } from '../events/event.ts';
import { truncateUtf8 } from '../truncate-utf8.ts';
import {
  KNOWN_STATUSES,
  type KnownStatus,
  LOST,
  REGISTERED,
  type RequestRow,
  STATUS_ORDER,
  TERMINAL_STATUSES,
  type UpstreamStatus,
} from './request.ts';

/** What one poll learned. A fault of the poll says nothing about the request. */
export type PollOutcome =
  | { readonly kind: 'status'; readonly status: UpstreamStatus }
  | { readonly kind: 'not-found' }
  | {
      readonly kind: 'fault';
      readonly reason: string;
      /** The wait that upstream asked for, ms. */
      readonly retryAfterMs?: number | undefined;
    };

/** What the poll changes of the request's row, and what follows from it. */
export type Transition = {
  readonly set: Partial<RequestRow>;
  readonly remove: readonly (keyof RequestRow)[];
  readonly events: readonly EventDraft[];
  /** `polling` goes on; `copying` when only the copy is left to do; `done` when nothing is. */
  readonly next: 'polling' | 'copying' | 'done';
  /** Where the finished video is, when it is to be copied (again). */
  readonly source?: { readonly url: string; readonly expiresAt?: number };
  /** A running copy asked for a fresh URL, and upstream has none any more. */
  readonly sourceGone?: boolean;
};

/** What a deployment may set. */
export type TransitionSettings = {
  /** How long upstream must answer 404 before the request counts as lost, ms. */
  readonly notFoundMs: number;
  /** How long a request may stay pending: longer than upstream keeps data, ms. */
  readonly pendingMs: number;
};

/** Answers 404 in a row before a request counts as lost: time without polls, as in a pause, proves nothing. */
export const NOT_FOUND_TRIES = 3;
/** How long upstream must answer `complete` without a download before the video counts as unavailable, ms. */
export const DOWNLOAD_MS = 3_600_000;
/** Such answers in a row that this also takes. */
export const DOWNLOAD_TRIES = 10;
/** The least time between two `progress.updated` of a request, ms. */
export const PROGRESS_MS = 10_000;

const MAX_MESSAGE_BYTES = 2_048;
const MAX_UNRECOGNIZED = 20;
const OVERDUE = 'pending for longer than Topaz keeps data';

/**
 * Compares a poll's outcome with what the row holds. Pure: the caller commits the row, the numbered
 * events and the copy's row in one transaction, under the claim that it polled with.
 *
 * @param tellProgress whether a filter names `progress.updated`
 */
export function transition(
  row: RequestRow,
  outcome: PollOutcome,
  now: number,
  { tellProgress, settings }: { readonly tellProgress: boolean; readonly settings: TransitionSettings },
): Transition {
  // The clock of the worker that polls may be behind that of the API.
  const polled = { lastPolledAt: Math.max(now, row.startedAt), polls: row.polls + 1 };
  if (outcome.kind === 'not-found') return notFound(row, polled, now, settings);
  if (outcome.kind === 'fault') {
    if (isOverdue(row, now, settings)) return gone(row, polled, now, OVERDUE);
    const lastError = { at: now, reason: outcome.reason };
    const set = { ...polled, faults: (row.faults ?? 0) + 1, lastError };
    return { set, remove: [], events: [], next: 'polling' };
  }

  const answer = { ...outcome.status, status: distinct(outcome.status.status) };
  const removed: (keyof RequestRow)[] = ['notFoundSince', 'notFounds', 'faults', 'refused', 'lastError'];
  if (isTerminal(row.status)) return afterEnd(row, answer, polled, removed, now);

  const changed = answer.status !== row.status;
  const set: Partial<RequestRow> = { ...polled, ...observed(answer) };
  const events: EventDraft[] = [];
  if (changed) {
    set.status = answer.status;
    set.statusSince = sinceOf(row, now);
    const draft = statusEvent(row, answer);
    if (draft) {
      events.push(draft);
      set.sentStatus = answer.status;
    }
    if (!isKnown(answer.status)) set.unrecognized = withUnrecognized(row, answer.status);
  } else if (tellProgress && progressMoved(row, answer, now)) {
    events.push({ type: 'progress.updated', data: eventData(row, answer, previousOf(row)), numbered: false });
    set.progressToldAt = now;
  }

  if (answer.status === 'complete') {
    const end = completed(row, answer, now);
    const remove = [...removed, ...(end.remove ?? [])];
    return { ...end, set: { ...set, ...end.set }, remove, events: [...events, ...end.events] };
  }
  if (isTerminal(answer.status)) return { set, remove: removed, events, next: 'done' };
  if (isOverdue(row, now, settings)) {
    const end = lost({ ...row, ...set }, set, now, OVERDUE);
    return { ...end, remove: removed, events: [...events, ...end.events] };
  }
  return { set, remove: removed, events, next: 'polling' };
}

const isTerminal = (status: string): boolean =>
  status === LOST || (TERMINAL_STATUSES as readonly string[]).includes(status);
/** Upstream's status, kept apart from the two that only the bridge gives. */
const distinct = (status: string): string =>
  status === LOST || status === REGISTERED ? `upstream:${status}` : status;
const isKnown = (status: string): status is KnownStatus =>
  (KNOWN_STATUSES as readonly string[]).includes(status);
/** Whether a request is pending for too long. */
export const isOverdue = (row: RequestRow, now: number, settings: TransitionSettings): boolean =>
  row.startedAt < now - settings.pendingMs;

/** A job that has ended is polled again only for its download: still missing, or to be renewed. */
function afterEnd(
  row: RequestRow,
  answer: UpstreamStatus,
  polled: Partial<RequestRow>,
  remove: (keyof RequestRow)[],
  now: number,
): Transition {
  if (row.status !== 'complete') return { set: polled, remove, events: [], next: 'done' };
  const end = completed(row, answer, now);
  return { ...end, set: { ...polled, ...end.set }, remove: [...remove, ...(end.remove ?? [])] };
}

/** What the row notes while a download is missing. */
const NO_DOWNLOAD = ['downloadMissing', 'downloadMissingSince'] as const;

type Completion = Pick<Transition, 'set' | 'events' | 'next' | 'source' | 'sourceGone'> & {
  remove?: (keyof RequestRow)[];
};

function completed(row: RequestRow, answer: UpstreamStatus, now: number): Completion {
  if (!row.copy) return { set: {}, events: [], next: 'done' };
  const { download } = answer;
  if (download) {
    // What the copy writes of the video meanwhile stays.
    const set = row.video ? {} : { video: { state: 'pending' as const } };
    return { set, remove: [...NO_DOWNLOAD, 'urlWanted'], events: [], next: 'copying', source: download };
  }
  const missing = (row.downloadMissing ?? 0) + 1;
  const { downloadMissingSince = now } = row;
  if (missing < DOWNLOAD_TRIES || now - downloadMissingSince < DOWNLOAD_MS) {
    return { set: { downloadMissing: missing, downloadMissingSince }, events: [], next: 'polling' };
  }
  return unavailable(row, `Topaz answered "complete" ${missing} times without a download`);
}

/** A running copy learns that its source is gone, and ends; without one the request ends. */
function unavailable(row: RequestRow, reason: string): Completion {
  if (row.urlWanted) {
    return {
      set: {},
      remove: [...NO_DOWNLOAD, 'urlWanted'],
      events: [],
      next: 'copying',
      sourceGone: true,
    };
  }
  return {
    set: { video: { ...row.video, state: 'failed', error: reason } },
    events: [{ type: 'video.unavailable', data: { ...eventData(row, row, 'complete'), reason } }],
    next: 'done',
  };
}

function notFound(
  row: RequestRow,
  polled: Partial<RequestRow>,
  now: number,
  settings: TransitionSettings,
): Transition {
  const { notFoundSince = now, notFounds = 0 } = row;
  if (now - notFoundSince < settings.notFoundMs || notFounds + 1 < NOT_FOUND_TRIES) {
    const lastError = { at: now, reason: 'Topaz does not know the request (404)' };
    return {
      set: { ...polled, notFoundSince, notFounds: notFounds + 1, lastError },
      remove: ['faults', 'refused'],
      events: [],
      next: 'polling',
    };
  }
  return gone(row, polled, now, 'Topaz does not know the request');
}

/** Upstream gives nothing more: a finished job has no download, any other is lost. */
function gone(row: RequestRow, polled: Partial<RequestRow>, now: number, reason: string): Transition {
  if (row.status !== 'complete') return lost(row, polled, now, reason);
  const end = unavailable(row, reason);
  return {
    ...end,
    set: { ...polled, ...end.set },
    remove: ['notFoundSince', 'notFounds', ...(end.remove ?? [])],
  };
}

function lost(row: RequestRow, set: Partial<RequestRow>, now: number, reason: string): Transition {
  const data = { ...eventData(row, { status: LOST }, previousOf(row)), reason };
  const video = row.copy ? { video: { ...row.video, state: 'failed' as const, error: reason } } : {};
  return {
    set: { ...set, status: LOST, sentStatus: LOST, statusSince: sinceOf(row, now), ...video },
    remove: [],
    events: [{ type: 'video.lost', data }],
    next: 'done',
  };
}

/** When the next status begins: never before the one that it follows, even if this worker's clock is behind. */
const sinceOf = ({ statusSince }: RequestRow, now: number): number => Math.max(now, statusSince);

/** The status that receivers were last sent, which release 0.1 kept as the request's own; `null` before the first event. */
const previousOf = ({ sentStatus, sequence, status }: RequestRow): string | null =>
  sentStatus ?? (sequence > 0 && status !== REGISTERED ? status : null);

/**
 * The statuses between two that no poll saw, by upstream's documented order: only forward, and never
 * guessed for an unknown status, `failed` or `canceled`, which may follow any other.
 */
function skippedBetween(previous: string | null, status: string): string[] {
  const order: readonly (string | null)[] = STATUS_ORDER;
  const from = order.indexOf(previous);
  return from < 0 ? [] : STATUS_ORDER.slice(from + 1, Math.max(from + 1, order.indexOf(status)));
}

function statusEvent(row: RequestRow, answer: UpstreamStatus): EventDraft | undefined {
  const previous = previousOf(row);
  const skipped = skippedBetween(previous, answer.status);
  const data = { ...eventData(row, answer, previous), ...(skipped.length > 0 ? { skipped } : {}) };
  const { status } = answer;
  if (isKnown(status)) return { type: `video.${status}`, data };
  if (row.unrecognized?.includes(status)) return undefined;
  return { type: 'video.status_unrecognized', data };
}

const withUnrecognized = (row: RequestRow, status: string): string[] =>
  [...new Set([...(row.unrecognized ?? []), status])].slice(-MAX_UNRECOGNIZED);

function progressMoved(row: RequestRow, answer: UpstreamStatus, now: number): boolean {
  if (answer.progress === undefined || answer.progress === row.progress) return false;
  return now - (row.progressToldAt ?? 0) >= PROGRESS_MS;
}

/** What the row keeps of an answer; what upstream left out keeps its last value. */
function observed(answer: UpstreamStatus): Partial<RequestRow> {
  const { progress, estimates, averageFps, combinedFps, outputSize, errorCode } = answer;
  const message = messageOf(answer);
  const seen = {
    progress,
    estimates,
    averageFps,
    combinedFps,
    outputSize,
    message,
    errorCode,
  };
  return Object.fromEntries(Object.entries(seen).filter(([, value]) => value !== undefined));
}

function eventData(
  row: RequestRow,
  answer: UpstreamStatus,
  previousStatus: string | null,
): Record<string, unknown> {
  const data = {
    status: answer.status,
    previousStatus,
    progress: answer.progress ?? row.progress,
    estimates: answer.estimates ?? row.estimates,
    message: messageOf(answer),
    errorCode: answer.errorCode,
  };
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
}

const messageOf = ({ message }: { readonly message?: string }): string | undefined =>
  message === undefined ? undefined : truncateUtf8(message, MAX_MESSAGE_BYTES);
