import type { Table } from '../../adapters/dynamodb/table.ts';
import type { VideoLinks } from '../../adapters/video-link.ts';
import type { Hints } from '../../engine/hints.ts';
import { createCallbackSecrets } from '../../rows/callback-secret.ts';
import { createEndpoints } from '../../rows/endpoints.ts';
import { createLists } from './lists.ts';

/** What every route may need from outside: far sides, clock, randomness and settings. */
export type ContextOptions = {
  readonly table: Table;
  readonly hints: Pick<Hints, 'send' | 'sendPacked'>;
  /** ms since epoch. */
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  /** Signs links and cursors. */
  readonly linkSecret: () => Promise<string>;
  readonly retentionDays: number;
  /** A link to the stored video of a request, for messages that are fetched. */
  readonly videoLink: VideoLinks;
  readonly sleep: (ms: number) => Promise<void>;
  /** Calls that may wait for messages at a time, of all pull endpoints. */
  readonly maxWaits: number;
  /** Whether callbacks may go to loopback; only in the local runtime. */
  readonly allowLoopback: boolean;
  /** The event bus that endpoints may name; by default none. */
  readonly eventBusName?: string | undefined;
};

/** What the routes work with. */
export type ApiContext = ReturnType<typeof createContext>;

export function createContext(options: ContextOptions) {
  const { table, randomBytes, linkSecret } = options;
  return {
    ...options,
    endpoints: createEndpoints(table),
    callbackSecrets: createCallbackSecrets(table, randomBytes),
    lists: createLists(linkSecret),
  };
}
