import { keyOfWrite, type Write } from '../../adapters/dynamodb/expression.ts';
import { MAX_WRITES } from '../../adapters/dynamodb/writes.ts';
import type { Registration } from '../../domain/requests/registration.ts';
import type { Due } from '../../domain/work.ts';
import { listOf } from '../../engine/hints.ts';
import { inParallel } from '../../engine/in-parallel.ts';
import { countWrites } from '../../rows/request-counts.ts';
import type { ApiContext } from '../http/context.ts';
import { type Kept, KeyReused } from '../http/idempotency.ts';
import { createdAndGone, Problem } from '../http/problem.ts';
import type { Call } from '../http/route.ts';
import { type Found, findRequests, newestEvent } from './find-requests.ts';
import { type ItemResult, refused } from './item-result.ts';
import { type Plan, planRegistration } from './plan-registration.ts';
import { createRegister } from './register.ts';
import { isTracked } from './tracked-requests.ts';

const TRANSACTIONS_AT_ONCE = 4;
/** Each transaction also writes the count of the active requests. */
const COUNTS = 1;
const ITEMS_AT_ONCE = 10;

type Keys = Pick<Call<unknown, unknown>, 'once' | 'findKept'>;
/** An item that can be registered, and its index in the batch. */
export type Entry = { readonly index: number; readonly item: unknown; readonly registration: Registration };
type Planned = Entry & { readonly plan: Plan; readonly writes: readonly Write[] };

/** Registers the valid items of a batch. */
export function createRegisterBatch(context: Pick<ApiContext, 'table' | 'now' | 'retentionDays'>) {
  const { table, now, retentionDays } = context;
  const register = createRegister(context);

  /**
   * Registers different requests with as few calls as possible: one read of all, and transactions of as many
   * as fit. Those of a transaction that is refused are registered one by one.
   */
  return async function registerAll(
    entries: readonly Entry[],
    keys: Keys,
    results: ItemResult[],
    due: Due[],
  ): Promise<void> {
    const alone: Entry[] = [];
    const planned = await planAll(entries, keys, results, alone);
    await inParallel(transactionsOf(planned), TRANSACTIONS_AT_ONCE, async (group) => {
      const counts = group.flatMap(({ plan }) => plan.counts);
      const writes = [
        ...withoutRepetition(group.flatMap((each) => each.writes)),
        ...countWrites(counts, group[0]?.registration.requestId ?? ''),
      ];
      try {
        if (writes.length > 0) await table.transact(writes);
      } catch {
        alone.push(...group);
        return;
      }
      for (const { index, plan, registration } of group) {
        results[index] = { requestId: registration.requestId, status: plan.status };
        due.push(...plan.due);
      }
    });
    await inParallel(alone, ITEMS_AT_ONCE, async (entry) => {
      results[entry.index] = await registerAlone(entry, keys, due);
    });
  };

  async function planAll(
    entries: readonly Entry[],
    { findKept }: Keys,
    results: ItemResult[],
    alone: Entry[],
  ): Promise<Planned[]> {
    const [kept, found] = await Promise.all([
      findKept(entries.map(({ registration, item }) => ({ id: registration.requestId, content: item }))),
      findRequests(
        table,
        entries.map(({ registration }) => registration),
      ),
    ]);
    const read = entries.map((entry, i) => ({ entry, key: kept[i], rows: found[i] }));
    const planned = await inParallel(read, ITEMS_AT_ONCE, async ({ entry, key, rows }) => {
      const { index, item, registration } = entry;
      try {
        if (!key || !rows || key instanceof KeyReused) throw key;
        if ('guard' in key) return await plan(entry, key, rows);
        if (!isTracked(rows.request, now())) throw createdAndGone('request');
        results[index] = { requestId: registration.requestId, status: key.outcome.status };
      } catch (error) {
        if (error instanceof Problem || error instanceof KeyReused) results[index] = refused(item, error);
        else alone.push(entry);
      }
      return undefined;
    });
    return planned.filter((each) => each !== undefined);
  }

  async function plan(
    entry: Entry,
    { guard }: Extract<Kept, { guard: unknown }>,
    found: Found,
  ): Promise<Planned> {
    const { requestId } = entry.registration;
    // An outbox is kept longer than any event, so where there is none, no event is left either.
    const isCounted = found.request || !found.outbox || found.outbox.last;
    const lastEvent = isCounted ? undefined : await newestEvent(table, requestId);
    const all = { ...found, lastEvent };
    const planned = planRegistration(entry.registration, false, all, now(), retentionDays);
    const kept = guard({ status: planned.status, ids: { requestId } });
    return { ...entry, plan: planned, writes: [...planned.writes, ...kept] };
  }

  async function registerAlone(
    { item, registration }: Entry,
    { once }: Keys,
    due: Due[],
  ): Promise<ItemResult> {
    const { requestId } = registration;
    try {
      const keyed = { id: requestId, content: item };
      const effect = await once((commit) => register(registration, false, commit), keyed);
      due.push(...listOf(effect.due));
      return { requestId, status: effect.status };
    } catch (error) {
      return refused(item, error);
    }
  }
}

/** As many entries in each as one transaction takes. */
function transactionsOf(planned: readonly Planned[]): Planned[][] {
  const groups: Planned[][] = [];
  let size = 0;
  for (const each of planned) {
    size += each.writes.length;
    const group = groups.at(-1);
    if (group && size <= MAX_WRITES - COUNTS) {
      group.push(each);
    } else {
      groups.push([each]);
      size = each.writes.length;
    }
  }
  return groups;
}

/** A transaction takes one write of a row: requests with the same callback each bring the same one. */
const withoutRepetition = (writes: readonly Write[]): Write[] => [
  ...new Map(
    writes.map((write) => {
      const { pk, sk } = keyOfWrite(write);
      return [`${pk} ${sk}`, write];
    }),
  ).values(),
];
