import { copyKey } from '../rows.ts';
import type { RowKey, Work } from '../work.ts';

/** Where the video is, as upstream last said. The URL is signed: never to be logged. */
export type CopySource = {
  readonly url: string;
  /** ms since epoch, where upstream says it. */
  readonly expiresAt?: number;
  /** When it was given, ms since epoch. */
  readonly receivedAt: number;
  /** Counts the URLs: a worker that was refused asks for another only if nobody has since. */
  readonly version: number;
};

/** What the probe found, and every later answer must agree with. */
export type CopyContent = {
  /** Bytes; undefined where the source does not say. */
  readonly size?: number;
  readonly etag?: string;
  readonly contentType: string;
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
    /** Of no other copy, not even of the same request: by it the copy knows its objects. */
    copyId: string;
    state: 'pending' | 'copying' | 'stored' | 'failed' | 'canceled';
    /** Counts the uploads begun; whatever is of an older generation ends itself. */
    generation: number;
    /** New generations that this copy began since it was asked for. */
    restarts: number;
    startedAt: number;
    source: CopySource;
    /** Upstream has no download any more. */
    sourceGone?: boolean;
    /** Since when a fresh URL is waited for, ms since epoch. */
    urlWantedSince?: number;
    /** URLs in a row that the source refused before a single part was copied by them. */
    refusals?: number;
    /** Troubles in a row that a later try may not have. */
    troubles?: number;
    /** Streams of a source that serves no ranges, of which bytes came. */
    streams?: number;
    content?: CopyContent;
    target?: { bucket: string; key: string };
    upload?: CopyUpload;
    /** Segments not yet copied. */
    open?: number;
    /** Set by the API: abort, clean up, and tell nobody. */
    canceled?: boolean;
    /** Why the copy has failed: decided before anything is cleaned up. */
    failure?: string;
    expiresAt?: number;
  };

/** The row `SEGMENT#<generation>#<n>`: neighbouring parts that one worker copies. */
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
    /** While a worker is at it. */
    bytesPerSecond: number;
    /** Troubles of the source or the bucket in a row, without a part copied between them. */
    troubles?: number;
    expiresAt?: number;
  };

/** What a copy found and where it goes; throws for one that has not looked at its source yet. */
export function placed({ requestId, target, content }: CopyRow) {
  if (!target || !content) throw new Error(`the copy of ${requestId} has no place yet`);
  return { target, content };
}

/** By what a copy knows an object as its own. */
export type ObjectMark = Pick<CopyRow, 'requestId' | 'copyId' | 'generation'>;

/** Whether an object is one that the copy has put there, in this generation or an earlier one. */
export const isOwn = (copy: CopyRow, { copyId }: Partial<ObjectMark>): boolean => copyId === copy.copyId;

/** What a segment is left as that is of a generation, or of a copy, that is no more. */
export const supersededSegment = (expiresAt: number) =>
  ({ state: 'superseded', bytesPerSecond: 0, expiresAt }) satisfies Partial<SegmentRow>;

/** Whether a segment is one of the upload that the copy is at. */
export const isCurrent = (copy: CopyRow, segment: SegmentRow): boolean =>
  copy.state === 'copying' &&
  copy.generation === segment.generation &&
  copy.failure === undefined &&
  copy.canceled !== true;

/**
 * The row of a copy that begins, or begins anew after a restart of its request. Put it under the
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
    lane: 'copy',
    dueAt: now,
  };
}

/**
 * The answer to a copy that wants a fresh URL, as a change of its row; `source` is undefined when upstream
 * has no download any more. Undefined when the copy has ended or was canceled meanwhile.
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
