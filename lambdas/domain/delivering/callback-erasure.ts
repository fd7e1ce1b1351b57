import type { RowKey, Work } from '../work.ts';

/** The order to erase a callback that a purged request named, unless another request names it. */
export type CallbackErasureRow = RowKey &
  Work & {
    endpointId: string;
    /** The callback's own mark, as the order set it. */
    unusedSince: number;
  };
