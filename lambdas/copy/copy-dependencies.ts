import type { PartLimits } from '../domain/copying/copy-plan.ts';
import type { SummedMetric } from '../domain/metrics.ts';
import type { Claims } from '../engine/claims.ts';
import type { DueRows } from '../engine/hints.ts';
import type { Buffers } from './buffers.ts';
import type { Copies } from './copies.ts';
import type { Segments } from './segments.ts';
import type { ShownCopy } from './shown-copy.ts';
import type { Source } from './source/source.ts';
import type { PartSender } from './uploads/part-sender.ts';
import type { Uploads } from './uploads/uploads.ts';

/** What the copy stage works with. */
export type CopyDependencies = {
  readonly claims: Claims;
  readonly copies: Copies;
  readonly segments: Segments;
  readonly shown: ShownCopy;
  readonly source: Source;
  readonly uploads: Uploads;
  readonly sender: PartSender;
  readonly buffers: Buffers;
  /** Hints what a commit made due. */
  readonly hint: (due: DueRows) => Promise<void>;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly partLimits: PartLimits;
  readonly bucket: string;
  readonly keyTemplate: string;
  readonly count: (metric: SummedMetric, value?: number) => void;
  readonly log: { info(message: string, extra: Record<string, unknown>): void };
};
