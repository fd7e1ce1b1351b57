import type { EventFilter } from '../events/event-filter.ts';
import type { Observation } from '../polling/schedule/observations.ts';
import { listAt } from '../rows.ts';
import type { RowKey, Work } from '../work.ts';
import type { ProgressSeries } from './progress-series.ts';

/** What upstream said of a job, as far as the bridge keeps it (Topaz Video API, StatusResponse). */
export type UpstreamStatus = {
  readonly status: string;
  /** Percent. */
  readonly progress?: number;
  /** Lower and upper bounds: cost in credits, time in seconds. */
  readonly estimates?: { cost?: [number, number]; time?: [number, number] };
  readonly averageFps?: number;
  readonly combinedFps?: number;
  readonly outputSize?: string | number;
  readonly processingJobs?: readonly Record<string, unknown>[];
  readonly message?: string;
  readonly errorCode?: string;
  readonly download?: { readonly url: string; readonly expiresAt?: number };
};

/** Upstream's statuses that end a job. */
export const TERMINAL_STATUSES = ['complete', 'failed', 'canceled'] as const;
/** The statuses of a job that succeeds, in the order that upstream documents. */
export const STATUS_ORDER = [
  'requested',
  'accepted',
  'initializing',
  'preprocessing',
  'processing',
  'postprocessing',
  'complete',
] as const;
export const KNOWN_STATUSES = [...STATUS_ORDER, 'canceling', 'failed', 'canceled'] as const;
export type KnownStatus = (typeof KNOWN_STATUSES)[number];

/** The status of a request before its first poll. */
export const REGISTERED = 'registered';
/** The status of a request that upstream no longer knows. */
export const LOST = 'lost';

/** `active` until upstream has ended and the copy, if any, has too. */
export const REQUEST_STATES = ['active', 'done', 'stopped'] as const;
export type RequestState = (typeof REQUEST_STATES)[number];

export const VIDEO_STATES = ['pending', 'copying', 'stored', 'failed'] as const;
type VideoState = (typeof VIDEO_STATES)[number];
export type Video = {
  state: VideoState;
  copiedBytes?: number;
  bytesPerSecond?: number;
  /** When these two were written, ms since epoch. */
  measuredAt?: number;
  bucket?: string;
  key?: string;
  /** Bytes. */
  size?: number;
  contentType?: string;
  checksum?: { algorithm: string; value: string };
  storedAt?: number;
  /** Where an earlier run of the request stored another video, which stays there. */
  previous?: { bucket: string; key: string };
  error?: string;
  /** Why the copy waits, until it makes progress. */
  lastError?: { at: number; reason: string };
};

/**
 * The row `REQUEST`: written twice at each poll, so it stays under 1 KB; what polling does not need is in
 * {@link MetaRow}. Times are ms since epoch.
 */
export type RequestRow = RowKey &
  Work & {
    requestId: string;
    state: RequestState;
    status: string;
    statusSince: number;
    /** The status of the last event that named one; a restart keeps it. */
    sentStatus?: string;
    /** Why the last poll brought no status; gone when one does. */
    lastError?: { at: number; reason: string };
    progress?: number;
    estimates?: UpstreamStatus['estimates'];
    averageFps?: number;
    combinedFps?: number;
    outputSize?: string | number;
    message?: string;
    errorCode?: string;
    registeredAt: number;
    /** When polling began: registration, or the last restart. */
    startedAt: number;
    lastPolledAt?: number;
    polls: number;
    /** What polls have seen, kept for the schedule; bounded there. */
    observations: Observation[];
    /** The number of the last event. */
    sequence: number;
    /** The place of the last entry in the outbox; `progress.updated` takes one but no number. */
    position: number;
    /** The time of the last event, ms since epoch; no later one is dated earlier, whatever the clocks say. */
    lastEventAt?: number;
    /** Whether the video is to be stored. */
    copy: boolean;
    /** Whether one of the request's own callbacks asked for `progress.updated`. */
    tellProgress?: boolean;
    progressToldAt?: number;
    video?: Video;
    /** Unknown statuses that an event has named already. */
    unrecognized?: string[];
    /** Since when upstream answers 404. */
    notFoundSince?: number;
    /** Answers 404 in a row. */
    notFounds?: number;
    /** Answers `complete` that gave no download. */
    downloadMissing?: number;
    /** Since when upstream answers so. */
    downloadMissingSince?: number;
    /** Polls in a row that brought no status. */
    faults?: number;
    /** Upstream's last answer was a refusal that paused all polling. */
    refused?: boolean;
    /** A copy waits for a fresh URL. */
    urlWanted?: boolean;
    /** Being erased: for readers it is gone, and so it is in no list. */
    purged?: boolean;
    /** It is in the counts of requests. */
    counted?: true;
    listKey: string;
    listAt: string;
    expiresAt?: number;
  };

/** One callback URL of a request, with its own filter. */
export type Callback = { endpointId: string; url: string; events: string[] };

/** The row `META`: what registration said, and of upstream's answers what is only shown. */
export type MetaRow = RowKey & {
  metadata: Record<string, string>;
  callbacks: Callback[];
  /** The nodes' states, as of the last change of status or progress. */
  processingJobs?: readonly Record<string, unknown>[];
  /** How progress went since polling began. */
  progressSeries?: ProgressSeries;
  expiresAt?: number;
};

/** The `list` partition of requests in a state. */
export const requestList = (state: RequestRow['state']): string => `requests#${state}`;
export const requestListAt = (row: { registeredAt: number; requestId: string }): string =>
  listAt(row.registeredAt, row.requestId);

/** The filter of a callback that named none. */
export const DEFAULT_CALLBACK_EVENTS: EventFilter = ['video.*'];
