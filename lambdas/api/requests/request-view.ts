import { iso } from '../../domain/iso.ts';
import { expectedEnd } from '../../domain/polling/expected-end.ts';
import type { RequestState, Video } from '../../domain/requests/request.ts';
import type { Work } from '../../domain/work.ts';
import type { Caller } from '../http/auth.ts';
import { visibleUrl } from '../http/visible-url.ts';
import type { ShownRequest } from './tracked-requests.ts';

/** The states of a request as the API shows them: `parked` when one of its rows waits for a person, and then not `active`. */
export const SHOWN_STATES = ['active', 'parked', 'done', 'stopped'] as const satisfies (
  | RequestState
  | 'parked'
)[];
export type ShownState = (typeof SHOWN_STATES)[number];

export function shownState(tracked: ShownRequest): ShownState {
  return parkedRow(tracked) ? 'parked' : tracked.request.state;
}

/** The row that was parked last, if any is. */
export function parkedRow({ parked }: ShownRequest): (Work & { sk: string }) | undefined {
  return parked.reduce((a, b) => ((a?.dueAt ?? 0) >= (b?.dueAt ?? 0) ? a : b), parked[0]);
}

/** What `GET /v1/requests/{requestId}` answers. */
export function requestView(tracked: ShownRequest, caller: Caller) {
  const { request, meta } = tracked;
  const parked = parkedRow(tracked)?.parked;
  const state = shownState(tracked);
  return {
    requestId: request.requestId,
    state,
    status: request.status,
    progress: request.progress ?? null,
    statusSince: iso(request.statusSince),
    sequence: request.sequence,
    registeredAt: iso(request.registeredAt),
    lastPolledAt: iso(request.lastPolledAt) ?? null,
    // While a worker holds the row, its due time is only the end of a lease.
    nextPollAt: (request.lane === 'poll' && !request.owner && iso(request.dueAt)) || null,
    polls: request.polls,
    expectedEndAt: iso(state === 'active' ? expectedEnd(request) : undefined),
    estimates: request.estimates,
    averageFps: request.averageFps,
    combinedFps: request.combinedFps,
    outputSize: request.outputSize,
    processingJobs: meta.processingJobs,
    message: request.message,
    errorCode: request.errorCode,
    lastError: request.lastError && { at: iso(request.lastError.at), reason: request.lastError.reason },
    metadata: meta.metadata,
    callbacks: meta.callbacks.map(({ endpointId, url, events }) => ({
      endpointId,
      url: visibleUrl(url, caller),
      events,
    })),
    video: videoView(request.video),
    parked: parked && { reason: parked.reason, since: iso(parked.since) },
  };
}

function videoView(video: Video | undefined) {
  if (!video) return null;
  const { state, copiedBytes, bytesPerSecond, bucket, key, size, contentType, checksum } = video;
  const { previous, error, lastError } = video;
  return {
    state,
    copiedBytes,
    bytesPerSecond,
    bucket,
    key,
    size,
    contentType,
    checksum,
    storedAt: iso(video.storedAt),
    previous,
    error,
    lastError: lastError && { at: iso(lastError.at), reason: lastError.reason },
  };
}
