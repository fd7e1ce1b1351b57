import * as z from 'zod/mini';
import { chunks } from '../../domain/chunks.ts';
import type { Registration } from '../../domain/requests/registration.ts';
import type { Due } from '../../domain/work.ts';
import { ROWS_PER_MESSAGE } from '../../engine/hint-packing.ts';
import type { ApiContext } from '../http/context.ts';
import { ok, type Route, route } from '../http/route.ts';
import { parse, refusePrototypes } from '../http/validation.ts';
import { type ItemResult, refused } from './item-result.ts';
import { createRegisterBatch, type Entry } from './register-batch.ts';
import { batchSchema, MAX_BATCH, normalized, registrationSchema } from './registration-schema.ts';

const MAX_BATCH_BYTES = 1_048_576;

/** Registers many requests. An invalid one does not affect the others. */
export function batchRoute(context: ApiContext): Route {
  const { hints } = context;
  const registerAll = createRegisterBatch(context);
  const schema = registrationSchema(context);

  return route({
    name: 'registerRequests',
    method: 'POST',
    path: '/v1/requests/batch',
    access: 'admin',
    summary: 'Tracks up to 100 requests; the answer has a status for each item.',
    body: batchSchema,
    describedBody: z.strictObject({
      items: z
        .array(schema)
        .check(z.minLength(1), z.maxLength(MAX_BATCH), z.describe('Each as `POST /v1/requests` takes it.')),
    }),
    maxBodyBytes: MAX_BATCH_BYTES,
    answers: { 200: 'BatchResult' },
    handle: async ({ body: { items }, once, findKept }) => {
      const results: ItemResult[] = [];
      const due: Due[] = [];
      const entries = items.flatMap((item, index): Entry[] => {
        try {
          refusePrototypes(item);
          return [{ index, item, registration: normalized(parse<Registration>(schema, item)) }];
        } catch (error) {
          results[index] = refused(item, error);
          return [];
        }
      });
      for (const round of rounds(entries)) await registerAll(round, { once, findKept }, results, due);
      for (const [lane, rows] of Map.groupBy(due, (row) => row.lane)) {
        await hints.sendPacked(
          lane,
          chunks(rows, ROWS_PER_MESSAGE[lane]).map((hinted) => ({ hints: hinted })),
        );
      }
      return ok({ items: results });
    },
  });
}

/** Splits entries so that no two of a list belong to the same request; those of one request keep their order. */
function rounds(entries: readonly Entry[]): Entry[][] {
  const found: Entry[][] = [];
  for (const same of Map.groupBy(entries, ({ registration }) => registration.requestId).values()) {
    for (const [i, entry] of same.entries()) {
      found[i] ??= [];
      found[i].push(entry);
    }
  }
  return found;
}
