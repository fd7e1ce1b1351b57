import * as z from 'zod/mini';
import { equals } from '../../adapters/dynamodb/expression.ts';
import { optimistic } from '../../adapters/dynamodb/optimistic.ts';
import { LANES, PARKED } from '../../domain/work.ts';
import { wake } from '../../engine/wake.ts';
import type { ApiContext } from '../http/context.ts';
import { paging } from '../http/lists.ts';
import { collectPage } from '../http/paging.ts';
import { notFound, Problem } from '../http/problem.ts';
import { type Route, route } from '../http/route.ts';
import { createParkedList } from './parked-rows.ts';
import { type ParkedRow, parkedView, parseParkedId } from './parked-view.ts';

/** Lists all parked work, and releases it. */
export function parkedRoutes({ table, lists, hints, now }: ApiContext): Route[] {
  const listParked = createParkedList(table);

  return [
    route({
      name: 'listParked',
      method: 'GET',
      path: '/v1/parked',
      access: 'read',
      summary: 'Lists parked work, the last parked first, with the reasons.',
      query: z.strictObject(paging),
      answers: { 200: 'ParkedList' },
      handle: (call) =>
        lists(call, (from) =>
          collectPage({
            ...from,
            filtered: false,
            scan: listParked,
            show: async (entries) => {
              const rows = await table.getMany<ParkedRow>(entries.map(({ key }) => key));
              return rows.map((row) => (row?.lane === PARKED ? parkedView(row) : undefined));
            },
          }),
        ),
    }),
    route({
      name: 'releaseParked',
      method: 'POST',
      path: '/v1/parked/{id}/release',
      access: 'admin',
      summary: 'Releases parked work, once you have removed the cause.',
      answers: { 202: 'Parked' },
      handle: async ({ params, once }) => {
        const key = parseParkedId(params.id ?? '');
        if (!key) throw notFound('parked work');
        const seen = await table.get<ParkedRow>(key);
        const { due } = await once((commit) =>
          optimistic(async () => {
            const row = await table.get<ParkedRow>(key);
            const lane = LANES.find((each) => each === row?.parked?.lane);
            if (row?.lane !== PARKED || !lane)
              throw new Problem(404, 'This work is not parked, or has been released since.');
            const woken = wake(row, lane, now(), { if: [equals('lane', PARKED)] });
            return commit([woken.write], { status: 202, ids: {}, due: woken.due });
          }),
        );
        await hints.send(due);
        return { status: 202, body: parkedView(seen ?? key) };
      },
    }),
  ];
}
