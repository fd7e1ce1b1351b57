import { log } from '../../adapters/lambda/log.ts';
import type { Registration } from '../../domain/requests/registration.ts';
import type { Due } from '../../domain/work.ts';
import { inParallel } from '../../engine/in-parallel.ts';
import type { ApiContext } from '../http/context.ts';
import type { Problem } from '../http/problem.ts';
import { problemOf } from '../http/refusal.ts';
import { type Call, ok, type Route, route } from '../http/route.ts';
import { parse } from '../http/validation.ts';
import { createRegister } from './registration.ts';
import { batchSchema, registrationSchema } from './registration-schema.ts';
import { normalized } from './request-routes.ts';

const MAX_BATCH_BYTES = 1_048_576;
const AT_ONCE = 10;

type Result = { requestId: string | null; status: number; error?: ReturnType<Problem['details']> };
type Once = Call<unknown, unknown>['once'];

/** Registers many requests, each by itself: a wrong one spoils no other. */
export function batchRoute(context: ApiContext): Route {
  const { hints } = context;
  const schema = registrationSchema(context);
  const register = createRegister(context);

  async function registerItem(item: unknown, once: Once, due: Due[]): Promise<Result> {
    try {
      const registration = normalized(parse<Registration>(schema, item));
      const { requestId } = registration;
      const { status } = await once(
        async (commit) => {
          const registered = await register(registration, false, commit);
          due.push(...registered.due);
          return registered.outcome;
        },
        { id: requestId, content: item },
      );
      return { requestId, status };
    } catch (error) {
      const problem = problemOf(error);
      if (problem.status >= 500) log.error('item failed', { requestId: idOf(item), error: error as Error });
      return { requestId: idOf(item) ?? null, status: problem.status, error: problem.details() };
    }
  }

  return route({
    method: 'POST',
    path: '/v1/requests/batch',
    access: 'admin',
    summary: 'Tracks up to 100 requests; each item has a status of its own.',
    body: batchSchema,
    maxBodyBytes: MAX_BATCH_BYTES,
    answers: { 200: 'BatchResult' },
    handle: async ({ body: { items }, once }) => {
      const results: Result[] = [];
      const due: Due[] = [];
      const groups = [...sameRequest(items).values()];
      await inParallel(groups, AT_ONCE, async (group) => {
        for (const i of group) results[i] = await registerItem(items[i], once, due);
      });
      await hints.send(due);
      return ok({ items: results });
    },
  });
}

/** The places of the items by request: those of one request take effect in their order. */
function sameRequest(items: readonly unknown[]): Map<unknown, number[]> {
  const groups = new Map<unknown, number[]>();
  for (const [i, item] of items.entries()) {
    const id = idOf(item)?.toLowerCase() ?? i;
    groups.set(id, [...(groups.get(id) ?? []), i]);
  }
  return groups;
}

function idOf(item: unknown): string | undefined {
  const { requestId } = (typeof item === 'object' && item !== null ? item : {}) as { requestId?: unknown };
  return typeof requestId === 'string' ? requestId : undefined;
}
