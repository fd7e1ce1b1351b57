import { copyKey } from '../rows.ts';
import type { RowKey, Work } from '../work.ts';

/** Where the video is, as upstream last said. The URL is signed: never to be logged. */
export type CopySource = {
  readonly url: string;
  /** ms since epoch, where upstream says it. */
  readonly expiresAt?: number;
  /** When it was given, ms since epoch. */
  readonly receivedAt: number;
  /** Counts the URLs: a refused worker asks for another only if no other worker has since. */
  readonly version: number;
};

/** What the first answer said, and every later one must agree with. */
export type CopyContent = {
  /** Bytes; undefined where the source does not say. */
  readonly size?: number;
  readonly etag?: string;
  /** As the source wrote it. */
  readonly lastModified?: string;
  readonly contentType: string;
};

export type CopyTarget = { readonly bucket: string; readonly key: string };

/** The video that an earlier run of the request stored; it stays where it is, whatever this copy does. */
type EarlierVideo = {
  /** Recognizes its object. */
  readonly copyId: string;
  readonly target: CopyTarget;
  readonly content: CopyContent;
};

/** Parts of a multipart upload: part `n` (from 1) begins at `(n - 1) * partSize`; sizes in bytes. */
export type CopyUpload = {
  readonly id: string;
  readonly size: number;
  readonly partSize: number;
  readonly segments: number;
};

/**
 * The row `COPY` of a request: the plan and the end of its copy. It is due for planning, for
 * completing, for cleaning up, and when a wait for a fresh URL has taken too long. It has a lane
 * until it has ended: while the segments are copied it is due far ahead, and their end makes it due.
 */
export type CopyRow = RowKey &
  Work & {
    requestId: string;
    /** Unique to this copy, even among copies of the same request: the copy recognizes its objects by it. */
    copyId: string;
    state: 'pending' | 'copying' | 'stored' | 'failed' | 'canceled';
    /** Counts the uploads begun; segments of an older generation end themselves. */
    generation: number;
    /** How often this copy has begun again from the first byte. */
    restarts: number;
    startedAt: number;
    source: CopySource;
    /** Upstream no longer has a download. */
    sourceGone?: boolean;
    /** Since when the copy has waited for a fresh URL, ms since epoch. */
    urlWantedSince?: number;
    /** Failures in a row, without a part copied between them, of the kind that a later try may not meet. */
    consecutiveFailures?: number;
    /** Whether to copy by one plain GET, since the source's ranges or ETags cannot be relied on. */
    streamed?: boolean;
    earlier?: EarlierVideo;
    content?: CopyContent;
    target?: CopyTarget;
    upload?: CopyUpload;
    /** Segments not yet copied. */
    open?: number;
    /** Set by the API: abort, clean up, and send no event. */
    canceled?: boolean;
    /**
     * When the lease ends of the worker that a cancellation took the copy from, ms since epoch. Until then
     * one of its requests may still reach the bucket.
     */
    lateUntil?: number;
    /** Why the copy has failed; written before anything is cleaned up. */
    failure?: string;
    expiresAt?: number;
  };

/** The row `SEGMENT#<generation>#<n>`: neighboring parts that one worker copies. */
export type SegmentRow = RowKey &
  Work & {
    requestId: string;
    generation: number;
    segment: number;
    firstPart: number;
    /** Inclusive. */
    lastPart: number;
    state: 'open' | 'copied' | 'superseded';
    copiedBytes: number;
    /** While a worker copies it. */
    bytesPerSecond: number;
    /** Failures in a row, without a part copied between them. */
    consecutiveFailures?: number;
    expiresAt?: number;
  };

/** What a copy found and where it goes; throws for one that has not looked at its source yet. */
export function placed({ requestId, target, content }: CopyRow) {
  if (!target || !content) throw new Error(`the copy of ${requestId} has no place yet`);
  return { target, content };
}

/** How a copy recognizes an object as its own. */
export type ObjectMark = Pick<CopyRow, 'requestId' | 'copyId' | 'generation'>;

/** Whether an object is one that the copy has put there, in this generation or an earlier one. */
export const isOwn = (copy: CopyRow, { copyId }: Partial<ObjectMark>): boolean => copyId === copy.copyId;

/** Ends a segment whose generation or copy has ended. */
export const supersededSegment = (expiresAt: number) =>
  ({ state: 'superseded', bytesPerSecond: 0, expiresAt }) satisfies Partial<SegmentRow>;

/** Whether a segment is one of the upload that the copy is at. */
export const isCurrent = (copy: CopyRow, segment: SegmentRow): boolean =>
  copy.state === 'copying' &&
  copy.generation === segment.generation &&
  copy.failure === undefined &&
  copy.canceled !== true;

/**
 * The row of a copy that begins, or begins again after a restart of its request. Put it under the
 * condition that `previous` is still what is there.
 *
 * @param ids with a `copyId` that is new
 * @param now ms since epoch; the row is due then, in the lane `copy`
 */
export function newCopy(
  ids: { readonly requestId: string; readonly copyId: string },
  source: { readonly url: string; readonly expiresAt?: number },
  previous: CopyRow | undefined,
  now: number,
): CopyRow & { lane: 'copy'; dueAt: number } {
  const { url, expiresAt } = source;
  return {
    ...copyKey(ids.requestId),
    ...ids,
    state: 'pending',
    generation: (previous?.generation ?? 0) + 1,
    restarts: 0,
    startedAt: now,
    source: { url, expiresAt, receivedAt: now, version: 1 },
    earlier: earlierVideo(previous),
    lane: 'copy',
    dueAt: now,
  };
}

function earlierVideo(previous: CopyRow | undefined): EarlierVideo | undefined {
  if (previous?.state !== 'stored') return previous?.earlier;
  return { copyId: previous.copyId, ...placed(previous) };
}

/**
 * Whether a source serves the bytes that an earlier run stored: the same size and ETag, or without an
 * ETag the same time of the last change.
 */
export function isSameContent(earlier: CopyContent, now: Omit<CopyContent, 'contentType'>): boolean {
  if (earlier.size === undefined || earlier.size !== now.size || earlier.etag !== now.etag) return false;
  return (
    now.etag !== undefined || (now.lastModified !== undefined && earlier.lastModified === now.lastModified)
  );
}

/**
 * The answer to a copy that wants a fresh URL, as a change of its row; `source` is undefined when upstream
 * no longer has a download. Undefined when the copy has ended or was canceled since.
 */
export function renewedSource(
  row: CopyRow,
  source: { readonly url: string; readonly expiresAt?: number } | undefined,
  now: number,
) {
  const ended = row.state !== 'pending' && row.state !== 'copying';
  if (ended || row.canceled || row.failure !== undefined) return undefined;
  const { url, expiresAt } = source ?? {};
  const version = row.source.version + 1;
  const renewed: Partial<CopyRow> =
    url === undefined ? { sourceGone: true } : { source: { url, expiresAt, receivedAt: now, version } };
  return {
    set: renewed,
    remove: ['urlWantedSince'],
    if: [
      { attribute: 'generation', is: '=', value: row.generation },
      { attribute: 'source.version', is: '=', value: row.source.version },
      { attribute: 'state', is: '=', value: row.state },
    ],
  } as const;
}
