import type { Table } from '../adapters/dynamodb/table.ts';
import { readOnce } from '../adapters/read-once.ts';
import { chunks } from '../domain/chunks.ts';
import type { EndpointRow, Target } from '../domain/delivering/endpoint.ts';
import { isCallback } from '../domain/delivering/endpoint-kinds/endpoint-kinds.ts';
import { newOrigin, type OriginRow, originOf } from '../domain/delivering/gate/origin.ts';
import { endpointKey, originKey } from '../domain/rows.ts';
import type { RowKey } from '../domain/work.ts';

export type Targets = ReturnType<typeof createTargets>;

/** Endpoints with their origins. Each is read once until it is forgotten. */
export function createTargets(table: Pick<Table, 'get'>) {
  const endpoints = readOnce<EndpointRow | undefined>();
  const origins = readOnce<OriginRow>();

  /** The target of a delivery; undefined when the endpoint is deleted. */
  async function of(endpointId: string): Promise<Target | undefined> {
    const endpoint = await endpoints.of(endpointId, () => table.get<EndpointRow>(endpointKey(endpointId)));
    return endpoint && withOrigin(endpoint);
  }

  /** The target for an endpoint that was just read. */
  async function withOrigin(endpoint: EndpointRow): Promise<Target> {
    if (!isCallback(endpoint)) return { endpoint };
    const origin = originOf(endpoint.url);
    return {
      endpoint,
      origin: await origins.of(
        origin,
        async () => (await table.get<OriginRow>(originKey(origin))) ?? newOrigin(origin),
      ),
    };
  }

  /** Makes the next call read again: one target with its origin, or all. */
  function forget(target?: Target): void {
    if (target === undefined) {
      endpoints.forgetAll();
      origins.forgetAll();
    } else {
      endpoints.forget(target.endpoint.id);
      if (target.origin) origins.forget(target.origin.origin);
    }
  }

  return { of, withOrigin, forget };
}

/** The targets of callbacks, each in its place, by one batch of reads; undefined where the endpoint is deleted. */
export async function readCallbackTargets(
  table: Pick<Table, 'getMany'>,
  callbacks: readonly { endpointId: string; url: string }[],
): Promise<(Target | undefined)[]> {
  const keys = callbacks.flatMap(({ endpointId, url }) => [
    endpointKey(endpointId),
    originKey(originOf(url)),
  ]);
  const rows = chunks(await table.getMany<RowKey>(keys), 2) as [EndpointRow?, OriginRow?][];
  return callbacks.map(({ url }, i) => {
    const [endpoint, origin = newOrigin(originOf(url))] = rows[i] ?? [];
    return endpoint && { endpoint, origin };
  });
}
