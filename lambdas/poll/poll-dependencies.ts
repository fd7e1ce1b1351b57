import type { Table } from '../adapters/dynamodb/table.ts';
import type { SummedMetric } from '../domain/metrics.ts';
import type { TransitionSettings } from '../domain/requests/transition.ts';
import type { Claims } from '../engine/claims.ts';
import type { Topaz } from './topaz.ts';
import type { UpstreamPauses } from './upstream-pause.ts';

/** What the poll stage works with. */
export type PollDependencies = {
  readonly table: Table;
  readonly claims: Claims;
  readonly topaz: Topaz;
  readonly pauses: UpstreamPauses;
  /** Settles when the limiter allows another poll. */
  readonly acquire: () => Promise<void>;
  readonly now: () => number;
  readonly random: () => number;
  readonly retentionDays: number;
  readonly settings: TransitionSettings;
  /** Whether an account-wide endpoint asks for `progress.updated`. */
  readonly progressWanted: () => Promise<boolean>;
  readonly count: (metric: SummedMetric, value?: number) => void;
  readonly log: { info(message: string, extra: Record<string, unknown>): void };
};
