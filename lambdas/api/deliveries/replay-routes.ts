import { absent } from '../../adapters/dynamodb/expression.ts';
import { GATE_LANE } from '../../domain/delivering/gate/gate.ts';
import { type ReplayRow, replayState } from '../../domain/delivering/replay.ts';
import { isReplayId, replayId as newReplayId } from '../../domain/ids.ts';
import { iso } from '../../domain/iso.ts';
import { eventExpiry, isExpired } from '../../domain/retention.ts';
import { replayKey } from '../../domain/rows.ts';
import { dueOf } from '../../domain/work.ts';
import { doneInReplay } from '../../rows/replays.ts';
import type { ApiContext } from '../http/context.ts';
import { refuseEmptyRange } from '../http/fields.ts';
import { notFound } from '../http/problem.ts';
import { ok, type Route, route } from '../http/route.ts';
import { replaySchema } from './replay-schema.ts';

/** Replays: commands to send again what an endpoint was sent before. The deliver stage carries them out. */
export function replayRoutes(context: ApiContext): Route[] {
  const { table, endpoints, hints, now, randomBytes, retentionDays } = context;
  return [
    route({
      name: 'replayDeliveries',
      method: 'POST',
      path: '/v1/endpoints/{id}/replay',
      access: 'admin',
      summary:
        'Sends the failed deliveries of a time range again, or with `all` also the delivered ones, with the same event ids. `GET /v1/endpoints/{id}/deliveries` with the same range and type, and with `state=failed` where only those go, shows which these are.',
      body: replaySchema,
      answers: { 202: 'ReplayId' },
      handle: async ({ params, body, once }) => {
        const endpoint = await endpoints.get(params.id ?? '');
        if (!endpoint) throw notFound('endpoint');
        const at = now();
        const since = Date.parse(body.since);
        const until = body.until === undefined ? at : Date.parse(body.until);
        refuseEmptyRange(since, until);
        const id = newReplayId(randomBytes(16));
        const key = replayKey(id);
        const { ids, due } = await once((commit) => {
          const row = {
            ...key,
            id,
            endpointId: endpoint.id,
            since,
            until,
            of: body.state ?? 'failed',
            ...(body.type === undefined ? {} : { type: body.type }),
            createdAt: at,
            matched: 0,
            queued: 0,
            lane: GATE_LANE,
            dueAt: at,
            expiresAt: eventExpiry(at, retentionDays),
          } satisfies ReplayRow;
          const effect = { status: 202, ids: { replayId: id }, due: dueOf(row) };
          return commit([{ put: row, if: [absent('pk')] }], effect);
        });
        await hints.send(due);
        return { status: 202, body: { replayId: ids.replayId } };
      },
    }),
    route({
      name: 'getReplay',
      method: 'GET',
      path: '/v1/replays/{id}',
      access: 'read',
      summary: 'Shows the progress of a replay.',
      answers: { 200: 'Replay' },
      handle: async ({ params: { id: given = '' } }) => {
        const row = isReplayId(given) && (await table.get<ReplayRow>(replayKey(given)));
        if (!row || isExpired(row, now())) throw notFound('replay');
        const { id, endpointId, matched, queued, since, until } = row;
        const done = await doneInReplay(table, id);
        const state = replayState(row, done);
        return ok({ id, endpointId, state, matched, queued, done, since: iso(since), until: iso(until) });
      },
    }),
  ];
}
