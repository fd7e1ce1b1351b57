import type { Table } from '../adapters/dynamodb/table.ts';
import { createCallbackSecrets } from '../adapters/rows/callback-secret.ts';
import { createEndpoints } from '../adapters/rows/endpoints.ts';
import type { SecretReader } from '../adapters/secrets.ts';
import type { VideoLinks } from '../adapters/video-link.ts';
import type { Hints } from '../engine/hints.ts';
import { createDeliveries } from './deliveries/delivery-rows.ts';
import { createLists } from './http/lists.ts';
import type { SignGet } from './requests/signed-url.ts';
import { createRequests } from './requests/tracked-requests.ts';
import { createSchemas } from './schemas.ts';
import type { Counts } from './stats/counts.ts';

/** What the api stage is given: its far sides, its clock and its chance. */
export type ApiOptions = {
  readonly table: Table;
  readonly counts: Counts;
  readonly hints: Pick<Hints, 'send'>;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  /** The text of the secret with the API keys. */
  readonly apiKeys: SecretReader;
  /** Signs links and cursors. */
  readonly linkSecret: SecretReader;
  readonly signGet: SignGet;
  readonly retentionDays: number;
  /** A link to the stored video of a request, for messages that are fetched. */
  readonly videoLink: VideoLinks;
  readonly sleep: (ms: number) => Promise<void>;
  /** Whether callbacks may go to loopback; only in the local runtime. */
  readonly allowLoopback: boolean;
  /** The event bus that endpoints may name; by default none. */
  readonly eventBusName?: string | undefined;
};

/** What the routes work with. */
export type ApiContext = ReturnType<typeof createContext>;

export function createContext(options: ApiOptions) {
  const { table, now, randomBytes, linkSecret } = options;
  return {
    ...options,
    requests: createRequests(table, now),
    endpoints: createEndpoints(table),
    deliveries: createDeliveries(table, now),
    callbackSecrets: createCallbackSecrets(table, randomBytes),
    schemas: createSchemas(options),
    lists: createLists(linkSecret),
  };
}
