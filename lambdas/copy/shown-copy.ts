import { absent, equals, present } from '../adapters/dynamodb/expression.ts';
import type { Table } from '../adapters/dynamodb/table.ts';
import { writeIf } from '../adapters/dynamodb/write-if.ts';
import type { CopyRow, SegmentRow } from '../domain/copying/copy.ts';
import type { Video } from '../domain/requests/request.ts';
import { requestKey, segmentsPrefix } from '../domain/rows.ts';

export type ShownCopy = ReturnType<typeof createShownCopy>;

/** How often progress is written, ms. */
const PROGRESS_MS = 5_000;

/** What a request's row shows of its copy. It is for people: the copy itself never reads it. */
export function createShownCopy({
  table,
  now,
}: {
  table: Pick<Table, 'query' | 'write' | 'transact'>;
  now: () => number;
}) {
  /** Shows that bytes come, for a copy without a plan. A worker that was frozen may come here after the request's end. */
  async function showBeginning(requestId: string, size: number | undefined): Promise<void> {
    const video = begunVideo(size, now());
    await writeIf(table, { update: requestKey(requestId), set: { video }, if: [equals('state', 'active')] });
  }

  /** Shows why a copy waits, until it makes progress. */
  async function showFailure(requestId: string, reason: string): Promise<void> {
    await writeIf(table, {
      update: requestKey(requestId),
      set: { 'video.lastError': { at: now(), reason } },
      if: [present('video.state'), absent('video.storedAt'), absent('video.error')],
    });
  }

  /** Shows the sum of a copy's segments, unless another worker wrote it within {@link PROGRESS_MS}. */
  async function showSegments(copy: CopyRow): Promise<void> {
    const prefix = segmentsPrefix(copy.generation);
    const found = await table.query<SegmentRow>({ partition: copy.pk, prefix, limit: 100 });
    // An earlier copy of the request may have had more segments.
    const rows = found.rows.filter(({ segment }) => segment < (copy.upload?.segments ?? 0));
    const sum = (value: (row: SegmentRow) => number) => rows.reduce((total, row) => total + value(row), 0);
    await showProgress(copy.requestId, {
      copiedBytes: sum((row) => row.copiedBytes),
      bytesPerSecond: Math.round(sum((row) => (row.state === 'open' ? row.bytesPerSecond : 0))),
    });
  }

  /** Shows how far a copy is, unless another worker wrote it within {@link PROGRESS_MS}. */
  async function showProgress(
    requestId: string,
    { copiedBytes, bytesPerSecond }: Pick<SegmentRow, 'copiedBytes' | 'bytesPerSecond'>,
  ): Promise<void> {
    const at = now();
    await writeIf(table, {
      update: requestKey(requestId),
      set: {
        'video.copiedBytes': copiedBytes,
        'video.bytesPerSecond': bytesPerSecond,
        'video.measuredAt': at,
      },
      remove: bytesPerSecond > 0 ? ['video.lastError'] : [],
      if: [
        equals('video.state', 'copying'),
        { attribute: 'video.measuredAt', is: '<=', value: at - PROGRESS_MS },
      ],
    });
  }

  /** Shows how many bytes of a stream are stored, every {@link PROGRESS_MS} at most. */
  function showingStream(requestId: string): (stored: number) => Promise<void> {
    let last = { at: now(), stored: 0 };
    return async (stored) => {
      const at = now();
      if (at - last.at < PROGRESS_MS) return;
      const bytesPerSecond = Math.round(((stored - last.stored) * 1000) / (at - last.at));
      last = { at, stored };
      await showProgress(requestId, { copiedBytes: stored, bytesPerSecond });
    };
  }

  return { showBeginning, showFailure, showSegments, showingStream };
}

/** The video of a copy of which no byte is stored yet. */
export const begunVideo = (size: number | undefined, now: number): Video => ({
  state: 'copying',
  size,
  copiedBytes: 0,
  bytesPerSecond: 0,
  measuredAt: now,
});
