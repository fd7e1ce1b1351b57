import { present, type Write } from '../adapters/dynamodb/expression.ts';
import type { Table } from '../adapters/dynamodb/table.ts';
import { writeIf } from '../adapters/dynamodb/write-if.ts';
import type { CallbackErasureRow } from '../domain/delivering/callback-erasure.ts';
import { GATE_LANE, QUIET_MS } from '../domain/delivering/gate/gate.ts';
import type { MetaRow } from '../domain/requests/request.ts';
import { callbackErasureKey, callbackUseKey, endpointKey, metaKey } from '../domain/rows.ts';
import { type Due, dueOf } from '../domain/work.ts';
import { inParallel } from '../engine/in-parallel.ts';
import { isCallbackUsed } from '../rows/endpoints.ts';

const CALLBACKS_AT_ONCE = 10;

/** Ends the request's use of its callbacks, and leaves the task to erase those that no other request names. */
export async function releaseCallbacks(
  table: Pick<Table, 'get' | 'query' | 'write' | 'transact'>,
  requestId: string,
  now: () => number,
): Promise<(Due | undefined)[]> {
  const meta = await table.get<MetaRow>(metaKey(requestId));
  return inParallel(meta?.callbacks ?? [], CALLBACKS_AT_ONCE, async ({ endpointId }) => {
    await table.write({ delete: callbackUseKey(endpointId, requestId) });
    if (await isCallbackUsed(table, endpointId)) return undefined;
    const unusedSince = now();
    const work = { lane: GATE_LANE, dueAt: unusedSince + QUIET_MS };
    const key = callbackErasureKey(endpointId);
    const task = { ...key, ...work, endpointId, unusedSince } satisfies CallbackErasureRow;
    const mark: Write = {
      update: endpointKey(endpointId),
      set: { unusedSince },
      if: [present('expiresAt')],
    };
    return (await writeIf(table, mark, { put: task })) ? dueOf(task) : undefined;
  });
}
