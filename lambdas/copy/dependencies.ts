import type { Claims } from '../adapters/claims.ts';
import type { Copies, LaneHint } from '../adapters/copies.ts';
import type { Segments } from '../adapters/segments.ts';
import type { Source } from '../adapters/source/source.ts';
import type { PartSender } from '../adapters/uploads/part-sender.ts';
import type { Uploads } from '../adapters/uploads/uploads.ts';
import type { Buffers } from './buffers.ts';

/** What the copy stage works with. */
export type CopyDependencies = {
  readonly claims: Claims;
  readonly copies: Copies;
  readonly segments: Segments;
  readonly source: Source;
  readonly uploads: Uploads;
  readonly sender: PartSender;
  readonly buffers: Buffers;
  readonly hint: (hints: readonly LaneHint[]) => Promise<void>;
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
  /** The function's memory, which bounds the buffers. */
  readonly memoryMiB: number;
  readonly bucket: string;
  readonly keyTemplate: string;
  readonly count: (metric: 'BytesCopied' | 'CopyFailed', value: number) => void;
  readonly log: { info(message: string, extra: Record<string, unknown>): void };
};
