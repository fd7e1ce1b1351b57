import type { RowKey, Work } from '../work.ts';

/** The task to erase a callback that a purged request named, unless another request names it. */
export type CallbackErasureRow = RowKey &
  Work & {
    endpointId: string;
    /** The callback's `unusedSince`, as it was written with this task. */
    unusedSince: number;
  };
