import * as z from 'zod/mini';
import { REQUEST_STATES } from '../../domain/requests/request.ts';
import { requestIdOf } from '../../domain/rows.ts';
import type { Caller } from '../http/auth.ts';
import type { ApiContext } from '../http/context.ts';
import { paging } from '../http/lists.ts';
import { collectPage, type ItemPage, type ListEntry } from '../http/paging.ts';
import { type Route, route } from '../http/route.ts';
import { createParkedList } from '../parked/parked-rows.ts';
import { parkedRow, requestView, SHOWN_STATES, type ShownState, shownState } from './request-view.ts';
import { createRequests, type ShownRequest } from './tracked-requests.ts';

/** Requests that a search looks through per call. */
const SEARCHED = 2_000;
const listQuery = z.strictObject({
  ...paging,
  state: z.optional(z.enum(SHOWN_STATES).check(z.describe('Only requests in this state.'))),
  status: z.optional(
    z.string().check(z.minLength(1), z.maxLength(100), z.describe('Only requests with this status.')),
  ),
  q: z.optional(
    z
      .string()
      .check(
        z.minLength(1),
        z.maxLength(200),
        z.describe('A part of the id, of a value of the metadata or of an error text, in any case.'),
      ),
  ),
});

/** `GET /v1/requests` */
export function listRequestsRoute({ table, lists, now }: ApiContext): Route {
  const requests = createRequests(table, now);
  const listParked = createParkedList(table);

  async function list(
    { state, status, q }: { state?: ShownState; status?: string; q?: string },
    from: { limit: number; after: string | undefined },
    caller: Caller,
  ): Promise<ItemPage<unknown>> {
    const states = REQUEST_STATES.filter((each) => state === undefined || each === state);
    const isParked = state === 'parked';
    return collectPage({
      ...from,
      filtered: status !== undefined || q !== undefined,
      ...(q === undefined ? {} : { maxCandidates: SEARCHED }),
      scan: isParked ? listParked : (after, limit) => requests.list(states, after, limit),
      show: async (entries: readonly ListEntry[]) => {
        const ids = entries.map(({ key }) => requestIdOf(key));
        const found = await (isParked ? requests.getMany(ids) : requests.getListed(ids));
        return found.map((each, i) => {
          if (!each || (state && shownState(each) !== state)) return undefined;
          // One with several parked rows is listed where the last of them is.
          if (isParked && parkedRow(each)?.sk !== entries[i]?.key.sk) return undefined;
          if (status !== undefined && each.request.status !== status) return undefined;
          return q === undefined || contains(each, q) ? requestView(each, caller) : undefined;
        });
      },
    });
  }

  return route({
    name: 'listRequests',
    method: 'GET',
    path: '/v1/requests',
    access: 'read',
    summary: 'Lists requests, the newest first; `q` looks through the newest 2,000 from the cursor on.',
    query: listQuery,
    answers: { 200: 'RequestList' },
    handle: (call) => lists(call, (from) => list(call.query, from, call.caller)),
  });
}

/** Whether a request's id, a value of its metadata or one of its error texts contains the text, in any case. */
function contains({ request, meta, parked }: ShownRequest, text: string): boolean {
  const { requestId, message, errorCode, video, lastError } = request;
  const reasons = parked.map((row) => row.parked?.reason);
  const texts = [requestId, message, errorCode, video?.error, lastError?.reason, ...reasons];
  const sought = text.toLowerCase();
  return [...texts, ...Object.values(meta.metadata)].some((each) => each?.toLowerCase().includes(sought));
}
