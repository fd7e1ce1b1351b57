import type { Table } from '../adapters/dynamodb/table.ts';
import type { SafeHttp } from '../adapters/http/safe-http.ts';
import type { VideoLinks } from '../adapters/video-link.ts';
import type { EndpointSecret } from '../domain/delivering/endpoint.ts';
import type { SummedMetric } from '../domain/metrics.ts';
import type { Claims } from '../engine/claims.ts';
import type { Hints } from '../engine/hints.ts';
import type { Targets } from '../rows/targets.ts';
import type { Clocks } from './attempt.ts';
import type { PutEvent } from './put-event.ts';
import type { RateLimiter } from './rate-limiter.ts';

/** What the deliver stage works with. */
export type DeliverDependencies = Clocks & {
  readonly table: Table;
  readonly claims: Claims;
  readonly hints: Pick<Hints, 'send'>;
  readonly targets: Targets;
  readonly limiter: RateLimiter;
  readonly http: SafeHttp;
  readonly putEvent: PutEvent;
  /** The secrets that sign per-request callbacks. */
  readonly callbackSecrets: () => Promise<readonly EndpointSecret[]>;
  /** A link to the stored video of a request, made at each attempt. */
  readonly videoLink: VideoLinks;
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Runs `act` after this time, unless the function that it returns is called before. */
  readonly after: (ms: number, act: () => void) => () => void;
  readonly retentionDays: number;
  /** Workers of the slow queue at most. */
  readonly maxDeliveries: number;
  readonly log: Record<'info' | 'error', (message: string, extra: Record<string, unknown>) => void>;
  readonly count: (metric: SummedMetric, value?: number) => void;
};
