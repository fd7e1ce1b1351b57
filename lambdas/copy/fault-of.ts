import type { CopyFaultKind } from '../domain/copying/copy-fault.ts';
import { Stopped } from '../engine/lease.ts';
import { SourceError } from './source/source-error.ts';
import { BucketError } from './uploads/bucket-error.ts';

/** An error as the copy's rule judges it (domain/copying/copy-fault.ts). */
export type CopyFault = {
  readonly kind: CopyFaultKind;
  readonly reason: string;
  /** The wait that the source asked for. */
  readonly retryAfterMs?: number;
};

/** What an error means for the copy; undefined when it comes from neither the source nor the bucket nor the lease. */
export function faultOf(error: unknown): CopyFault | undefined {
  if (error instanceof SourceError) return error.fault;
  if (error instanceof BucketError) return { kind: error.kind, reason: error.message };
  if (error instanceof Stopped) return { kind: error.why, reason: error.message };
  return undefined;
}

/** Whether an error is of this kind. */
export const isFault = (error: unknown, kind: CopyFaultKind): boolean => faultOf(error)?.kind === kind;
