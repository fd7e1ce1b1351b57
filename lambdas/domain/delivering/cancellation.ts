import type { RowKey, Work } from '../work.ts';

/** The task to cancel the deliveries of a deleted endpoint that are not final. */
export type CancellationRow = RowKey &
  Work & {
    endpointId: string;
    /**
     * When the deleted endpoint was created: one of the same id that is newer keeps its deliveries. Release 0.1 did not
     * write it.
     */
    endpointCreatedAt?: number;
    orderedAt: number;
    /** The last event looked at. */
    cursor?: string;
  };
