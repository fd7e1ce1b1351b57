import { type CopyRow, isCurrent, type SegmentRow } from '../domain/copying/copy.ts';
import type { Claim } from '../engine/claims.ts';
import { NeedsPerson } from '../engine/failure.ts';
import type { WorkContext } from '../engine/stage.ts';
import { coordinate } from './coordinate.ts';
import type { CopyDependencies } from './copy-dependencies.ts';
import { SegmentCopy } from './segment-copy.ts';
import { SinkTrouble } from './uploads/bucket-error.ts';

export type CopyLaneRow = CopyRow | SegmentRow;

/** The work of the lane `copy`: a whole copy's planning and end, or the parts of one segment. */
export function createCopyWork(use: CopyDependencies) {
  return async function work(claim: Claim<CopyLaneRow>, { deadline }: WorkContext): Promise<void> {
    try {
      if ('segment' in claim.row) await copySegment(claim as Claim<SegmentRow>, deadline);
      else await coordinate(use, claim as Claim<CopyRow>, deadline);
    } catch (error) {
      if (!(error instanceof SinkTrouble) || error.fault !== 'denied') throw error;
      throw new NeedsPerson(
        `${error.message}: let the copy function use the video bucket, then release the row`,
      );
    }
  };

  async function copySegment(claim: Claim<SegmentRow>, deadline: number): Promise<void> {
    const copy = await use.copies.get(claim.row.requestId);
    if (!copy?.upload || !copy.target || !isCurrent(copy, claim.row)) {
      await use.segments.superseded(claim);
      return;
    }
    const place = { ...copy.target, uploadId: copy.upload.id };
    await new SegmentCopy(use, claim, copy, copy.upload, place).run(deadline);
  }
}
