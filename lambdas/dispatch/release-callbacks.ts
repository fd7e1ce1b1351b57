import { present, type Write } from '../adapters/dynamodb/expression.ts';
import { writeIf } from '../adapters/dynamodb/write-if.ts';
import type { CallbackErasureRow } from '../domain/delivering/callback-erasure.ts';
import { GATE_LANE, QUIET_MS } from '../domain/delivering/gate/gate.ts';
import type { MetaRow } from '../domain/requests/request.ts';
import { callbackErasureKey, callbackUseKey, endpointKey, metaKey, requestIdOf } from '../domain/rows.ts';
import { type Due, dueOf } from '../domain/work.ts';
import { type Claim, renewWrite } from '../engine/claim-writes.ts';
import { inParallel } from '../engine/in-parallel.ts';
import { isCallbackUsed } from '../rows/endpoints.ts';
import type { DispatchDependencies } from './dispatch-dependencies.ts';

const CALLBACKS_AT_ONCE = 10;

/** Ends the use of its callbacks by a request that is erased, and leaves the task to erase those that no other names. */
export function createReleaseCallbacks({
  table,
  claims,
  now,
}: Pick<DispatchDependencies, 'table' | 'claims' | 'now'>) {
  return async function releaseCallbacks(claim: Claim): Promise<(Due | undefined)[]> {
    const requestId = requestIdOf(claim.row);
    const { callbacks = [] } = (await table.get<MetaRow>(metaKey(requestId))) ?? {};
    const uses = callbacks.map(({ endpointId }) => ({ delete: callbackUseKey(endpointId, requestId) }));
    await claims.commit(claim, renewWrite(claim, now()), uses);
    return inParallel(callbacks, CALLBACKS_AT_ONCE, ({ endpointId }) => markUnused(endpointId));
  };

  async function markUnused(endpointId: string): Promise<Due | undefined> {
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
  }
}
