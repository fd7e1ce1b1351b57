import type { Target } from '../../domain/delivering/admission.ts';
import { type GateRow, newOrigin } from '../../domain/delivering/delivery-gate.ts';
import type { EndpointRow } from '../../domain/delivering/endpoint.ts';
import { endpointKey, originKey } from '../../domain/rows.ts';
import type { RowKey } from '../../domain/work.ts';
import type { Table } from '../dynamodb/table.ts';

/** The origin that a callback's health is kept for. */
export const originOf = (url = ''): string => (URL.canParse(url) ? new URL(url).origin : url);

export type Targets = ReturnType<typeof createTargets>;

/** Endpoints with their gates. What was read serves all who ask until it is forgotten. */
export function createTargets(table: Pick<Table, 'get'>) {
  const known = new Map<string, Promise<Target | undefined>>();

  /** Whom a delivery is for; undefined when the endpoint is deleted. */
  function of(endpointId: string): Promise<Target | undefined> {
    const target = known.get(endpointId) ?? read(endpointId);
    known.set(endpointId, target);
    return target;
  }

  async function read(endpointId: string): Promise<Target | undefined> {
    const endpoint = await table.get<EndpointRow>(endpointKey(endpointId));
    if (!endpoint) return undefined;
    return { endpoint, gate: endpoint.kind === 'callback' ? await originGate(endpoint) : endpoint };
  }

  async function originGate({ url }: EndpointRow): Promise<GateRow> {
    const origin = originOf(url);
    return withDefaults(await table.get<GateRow>(originKey(origin)), origin);
  }

  /** Makes the next who asks read anew: one endpoint's, or all. */
  function forget(endpointId?: string): void {
    if (endpointId === undefined) known.clear();
    else known.delete(endpointId);
  }

  return { of, forget };
}

/** The targets of callbacks, each in its place, by one batch of reads; undefined where the endpoint is deleted. */
export async function readCallbackTargets(
  table: Pick<Table, 'getMany'>,
  callbacks: readonly { endpointId: string; url: string }[],
): Promise<(Target | undefined)[]> {
  const origins = [...new Set(callbacks.map(({ url }) => originOf(url)))];
  const keys = [...callbacks.map(({ endpointId }) => endpointKey(endpointId)), ...origins.map(originKey)];
  const rows = await table.getMany<RowKey>(keys);
  const row = <T extends RowKey>({ pk, sk }: RowKey) =>
    rows.find((each) => each.pk === pk && each.sk === sk) as T | undefined;
  return callbacks.map(({ endpointId, url }) => {
    const endpoint = row<EndpointRow>(endpointKey(endpointId));
    const origin = originOf(url);
    return endpoint && { endpoint, gate: withDefaults(row<GateRow>(originKey(origin)), origin) };
  });
}

const withDefaults = (row: GateRow | undefined, origin: string): GateRow => ({
  ...newOrigin(origin),
  ...row,
});
