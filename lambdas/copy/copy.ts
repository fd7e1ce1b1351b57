import type { Table } from '../adapters/dynamodb/table.ts';
import { type CopyRow, isCurrent, type SegmentRow } from '../domain/copying/copy.ts';
import type { Claim } from '../engine/claim-writes.ts';
import type { Claims } from '../engine/claims.ts';
import { Denied } from '../engine/failure.ts';
import type { Hints } from '../engine/hints.ts';
import { stage, type WorkContext } from '../engine/stage.ts';
import { createBuffers } from './buffers.ts';
import { coordinate } from './coordinate.ts';
import { createCopies } from './copies.ts';
import type { CopyDependencies } from './copy-dependencies.ts';
import { isFault } from './fault-of.ts';
import { SegmentCopy } from './segment-copy.ts';
import { createSegments } from './segments.ts';
import { createShownCopy } from './shown-copy.ts';

type CopyOptions = Omit<CopyDependencies, 'claims' | 'copies' | 'segments' | 'shown' | 'buffers' | 'hint'> & {
  readonly table: Table;
  readonly claims: Claims;
  readonly hints: Pick<Hints, 'send'>;
  readonly retentionDays: number;
};

/** The stage that copies: its rows are whole copies, which it plans and ends, and their segments. */
export function createCopy(options: CopyOptions) {
  const { claims, hints, now } = options;
  const shared = {
    ...options,
    copies: createCopies(options),
    segments: createSegments(options),
    shown: createShownCopy(options),
    buffers: createBuffers(),
  };

  async function work(claim: Claim<CopyRow | SegmentRow>, { deadline, hint }: WorkContext): Promise<void> {
    const use = { ...shared, hint };
    try {
      if ('segment' in claim.row) await copySegment(use, claim as Claim<SegmentRow>, deadline);
      else await coordinate(use, claim as Claim<CopyRow>, deadline);
    } catch (error) {
      if (!isFault(error, 'denied')) throw error;
      const remedy = 'let the copy function use the video bucket, then release the work';
      throw new Denied(`${(error as Error).message}: ${remedy}`);
    }
  }

  // One row at a time: its parts use all of the memory.
  return stage<CopyRow | SegmentRow>({ lanes: ['copy'], claims, hints, now, work, concurrency: 1 });
}

async function copySegment(use: CopyDependencies, claim: Claim<SegmentRow>, deadline: number): Promise<void> {
  const copy = await use.copies.get(claim.row.requestId);
  if (!copy?.upload || !copy.target || !isCurrent(copy, claim.row)) {
    await use.segments.supersede(claim);
    return;
  }
  const place = { ...copy.target, uploadId: copy.upload.id };
  await new SegmentCopy(use, claim, copy, copy.upload, place).run(deadline);
}
