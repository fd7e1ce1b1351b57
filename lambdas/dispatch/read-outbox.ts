import type { Table } from '../adapters/dynamodb/table.ts';
import type { EndpointRow, Target } from '../domain/delivering/endpoint.ts';
import { isCallback } from '../domain/delivering/endpoint-kinds/endpoint-kinds.ts';
import type { Audience } from '../domain/delivering/fan-out.ts';
import type { EventRow } from '../domain/events/event.ts';
import type { MetaRow } from '../domain/requests/request.ts';
import { EVENTS, endpointKey, eventKey, metaKey, sourceOf } from '../domain/rows.ts';
import type { RowKey } from '../domain/work.ts';
import { createEndpoints } from '../rows/endpoints.ts';
import { readCallbackTargets } from '../rows/targets.ts';

const EVENTS_PER_PAGE = 25;

/** The next events of an outbox, and the metadata and callbacks of their request. */
type OutboxPage = { readonly events: EventRow[]; readonly more: boolean; readonly meta: MetaRow | undefined };

/** Reads what a fan-out goes by: the events of a source, and who is to receive them. All reads are consistent. */
export function createReadOutbox(table: Pick<Table, 'get' | 'getMany' | 'query' | 'queryAll'>) {
  const { listAccountWide } = createEndpoints(table);

  /** The next events of a source, and in the same read META, which follows them in the partition. */
  async function pageAfter(pk: string, position: number): Promise<OutboxPage> {
    const source = sourceOf(pk);
    const after = eventKey(source, position).sk;
    const meta = source.kind === 'request' ? metaKey(source.requestId) : undefined;
    const page = await table.query<RowKey>({
      partition: pk,
      after,
      upTo: meta?.sk ?? `${EVENTS}\uffff`,
      limit: EVENTS_PER_PAGE + 2,
      consistent: true,
    });
    const events = page.rows.filter(({ sk }) => sk.startsWith(EVENTS)) as EventRow[];
    const read = page.rows.find(({ sk }) => sk === meta?.sk) as MetaRow | undefined;
    const more = page.more && !read;
    return { events, more, meta: read ?? (meta && more ? await table.get<MetaRow>(meta) : undefined) };
  }

  async function audienceOf(pk: string, meta: MetaRow | undefined): Promise<Audience> {
    const source = sourceOf(pk);
    const callbacks = meta?.callbacks ?? [];
    const [account, subject, targets] = await Promise.all([
      listAccountWide(),
      source.kind === 'endpoint' ? readSubject(source.endpointId) : undefined,
      callbacks.length > 0 ? readCallbackTargets(table, callbacks) : [],
    ]);
    const others = account.filter(({ id }) => id !== subject?.endpoint.id).map(itself);
    return {
      account: subject
        ? [...others, subject].sort((a, b) => (a.endpoint.id < b.endpoint.id ? -1 : 1))
        : others,
      callbacks: callbacks.map((callback, i) => ({ callback, target: targets[i] })),
    };
  }

  /** The endpoint that the events of its own outbox are about; only it receives a test. */
  async function readSubject(endpointId: string) {
    const endpoint = await table.get<EndpointRow>(endpointKey(endpointId));
    if (!endpoint || !isCallback(endpoint)) return endpoint && itself(endpoint);
    const [target] = await readCallbackTargets(table, [{ endpointId, url: endpoint.url ?? '' }]);
    return target;
  }

  return { pageAfter, audienceOf };
}

const itself = (endpoint: EndpointRow): Target => ({ endpoint });
