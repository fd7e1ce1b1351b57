import * as z from 'zod/mini';
import { equals } from '../../adapters/dynamodb/expression.ts';
import { optimistic } from '../../adapters/dynamodb/optimistic.ts';
import { change, creation, deletion, MAX_ENDPOINTS } from '../../adapters/rows/endpoints.ts';
import { DISABLED_THROUGH_API, type EndpointRow, endpointList } from '../../domain/delivering/endpoint.ts';
import { changed, changeErrors } from '../../domain/delivering/endpoint-change.ts';
import { ENDPOINT_KINDS, isCallback } from '../../domain/delivering/endpoint-kinds/endpoint-kinds.ts';
import { newSecret, SECRET_BYTES } from '../../domain/delivering/signing-secret.ts';
import { endpointId } from '../../domain/ids.ts';
import { endpointKey, listAt } from '../../domain/rows.ts';
import type { Due } from '../../domain/work.ts';
import { attemptView } from '../deliveries/delivery-view.ts';
import type { Caller } from '../http/auth.ts';
import type { ApiContext } from '../http/context.ts';
import { paging } from '../http/lists.ts';
import { collectPage, type ItemPage } from '../http/paging.ts';
import { conflict, createdAndGone, invalid, notFound } from '../http/problem.ts';
import { ok, type Route, route } from '../http/route.ts';
import {
  endpointAnswer,
  endpointListAnswer,
  endpointWithSecretAnswer,
  eventIdAnswer,
  secretAnswer,
  urlTestAnswer,
} from './endpoint-answers.ts';
import {
  endpointChangeSchema,
  endpointSchema,
  endpointTestSchema,
  rotationSchema,
} from './endpoint-schemas.ts';
import { createEndpointTest } from './endpoint-test.ts';
import { endpointView } from './endpoint-view.ts';
import { rotatedSecret, rotation, secretView } from './secret-rotation.ts';
import { createUrlTest } from './url-test.ts';

const DEFAULT_EVENTS = ['video.*', 'endpoint.*'];

export function endpointRoutes(context: ApiContext): Route[] {
  const { table, endpoints, hints, lists, now, randomBytes, retentionDays } = context;
  const test = createEndpointTest(context);
  const urlTest = createUrlTest(context);

  async function known(id: string | undefined): Promise<EndpointRow> {
    const found = await endpoints.get(id ?? '');
    if (!found) throw notFound('endpoint');
    return found;
  }

  async function shown(id: string | undefined, caller: Caller) {
    return endpointView(await known(id), caller);
  }

  /** An endpoint with secrets of its own. */
  async function signing(
    id: string | undefined,
  ): Promise<EndpointRow & Required<Pick<EndpointRow, 'secrets'>>> {
    const endpoint = await known(id);
    const { secrets } = endpoint;
    if (secrets) return { ...endpoint, secrets };
    throw conflict('Callbacks are signed with the callback secret: see /v1/callback-secret.');
  }

  async function accountWide(
    caller: Caller,
    kind: EndpointRow['kind'] | undefined,
    { limit, after }: { limit: number; after: string | undefined },
  ): Promise<ItemPage<unknown>> {
    const rows = (await endpoints.listAccountWide())
      .filter((row) => kind === undefined || row.kind === kind)
      .filter((row) => after === undefined || row.listAt < after)
      .sort((a, b) => (a.listAt < b.listAt ? 1 : -1));
    const page = rows.slice(0, limit);
    const items = page.map((row) => endpointView(row, caller));
    return { items, next: rows.length > limit ? page.at(-1)?.listAt : undefined };
  }

  const callbacks = (caller: Caller, from: { limit: number; after: string | undefined }) =>
    collectPage({
      ...from,
      filtered: false,
      scan: endpoints.listCallbacks,
      show: async (entries) => {
        const rows = await table.getMany<EndpointRow>(entries.map(({ key }) => key));
        return rows.map((row) => row && endpointView(row, caller));
      },
    });

  return [
    route({
      name: 'createEndpoint',
      method: 'POST',
      path: '/v1/endpoints',
      access: 'admin',
      summary: 'Creates an account-wide endpoint; the answer holds its secret.',
      body: endpointSchema(context),
      answers: { 201: endpointWithSecretAnswer },
      handle: async ({ caller, body, once }) => {
        const {
          kind = 'http',
          secret = newSecret(randomBytes(SECRET_BYTES)),
          enabled = true,
          ...given
        } = body;
        const id = endpointId('account', randomBytes(16));
        const { ids } = await once((commit) =>
          optimistic(async () => {
            const counts = await endpoints.counts();
            if (counts && counts.endpoints >= MAX_ENDPOINTS) {
              throw conflict(
                `There are ${MAX_ENDPOINTS} endpoints, the most there can be: delete one first.`,
              );
            }
            const createdAt = now();
            const row: EndpointRow = {
              ...endpointKey(id),
              id,
              kind,
              url: given.url,
              busName: given.busName,
              events: [...new Set(given.events ?? DEFAULT_EVENTS)],
              description: given.description ?? '',
              enabled,
              ...(enabled ? {} : { disabledReason: DISABLED_THROUGH_API }),
              rateLimit: given.rateLimit,
              ordered: given.ordered ?? false,
              headers: given.headers ?? {},
              secrets: [{ secret }],
              createdAt,
              health: { state: enabled ? 'healthy' : 'disabled' },
              stateVersion: 0,
              listKey: endpointList(kind),
              listAt: listAt(createdAt, id),
            };
            return commit(creation(row, counts), { status: 201, ids: { endpointId: id } });
          }),
        );
        const endpoint = await endpoints.get(ids.endpointId ?? '');
        if (!endpoint) throw createdAndGone('endpoint');
        return {
          status: 201,
          headers: { location: `/v1/endpoints/${endpoint.id}` },
          body: { ...endpointView(endpoint, caller), secret: endpoint.secrets?.[0]?.secret },
        };
      },
    }),
    route({
      name: 'listEndpoints',
      method: 'GET',
      path: '/v1/endpoints',
      access: 'read',
      summary: 'Lists account-wide endpoints, the newest first; callbacks with kind=callback.',
      query: z.strictObject({ ...paging, kind: z.optional(z.enum(ENDPOINT_KINDS)) }),
      answers: { 200: endpointListAnswer },
      handle: (call) => {
        const { kind } = call.query;
        return lists(call, (from) =>
          kind && isCallback({ kind }) ? callbacks(call.caller, from) : accountWide(call.caller, kind, from),
        );
      },
    }),
    route({
      name: 'getEndpoint',
      method: 'GET',
      path: '/v1/endpoints/{id}',
      access: 'read',
      summary: 'Shows an endpoint.',
      answers: { 200: endpointAnswer },
      handle: async ({ caller, params }) => ok(await shown(params.id, caller)),
    }),
    route({
      name: 'changeEndpoint',
      method: 'PATCH',
      path: '/v1/endpoints/{id}',
      access: 'admin',
      summary: 'Changes the given fields of an endpoint; given `headers` replace all of its headers.',
      body: endpointChangeSchema(context),
      answers: { 200: endpointAnswer },
      handle: async ({ caller, params, body }) => {
        const due = await optimistic(async () => {
          const endpoint = await known(params.id);
          const wrong = changeErrors(endpoint, body);
          if (wrong.length > 0) throw invalid(wrong);
          const { writes, due } = change(endpoint, changed(endpoint, body), now());
          await table.transact(writes);
          return due;
        });
        await hints.send(due);
        return ok(await shown(params.id, caller));
      },
    }),
    route({
      name: 'deleteEndpoint',
      method: 'DELETE',
      path: '/v1/endpoints/{id}',
      access: 'admin',
      summary: 'Deletes an endpoint; its deliveries that are not final are canceled.',
      answers: { 204: null },
      handle: async ({ params }) => {
        const due = await optimistic(async () => {
          const planned = deletion(await known(params.id), now(), retentionDays);
          await table.transact(planned.writes);
          return planned.due;
        });
        await hints.send(due);
        return { status: 204 };
      },
    }),
    route({
      name: 'getEndpointSecret',
      method: 'GET',
      path: '/v1/endpoints/{id}/secret',
      access: 'admin',
      summary: "Shows an endpoint's signing secret.",
      refusals: [409],
      answers: { 200: secretAnswer },
      handle: async ({ params }) => ok(secretView((await signing(params.id)).secrets, now())),
    }),
    route({
      name: 'rotateEndpointSecret',
      method: 'POST',
      path: '/v1/endpoints/{id}/secret/rotate',
      access: 'admin',
      summary: 'Replaces the secret; the bridge signs with the old one, too, until the overlap ends.',
      body: rotationSchema,
      bodyOptional: true,
      answers: { 200: secretAnswer },
      handle: async ({ params, body, once }) => {
        const { ids } = await once((commit) =>
          optimistic(async () => {
            const endpoint = await signing(params.id);
            const { secrets, fingerprint } = rotation(endpoint.secrets, body, now(), randomBytes);
            return commit(
              [{ update: endpoint, set: { secrets }, if: [equals('secrets', endpoint.secrets)] }],
              { status: 200, ids: { secret: fingerprint } },
            );
          }),
        );
        return ok({ secret: rotatedSecret((await signing(params.id)).secrets, ids.secret) });
      },
    }),
    route({
      name: 'testEndpoint',
      method: 'POST',
      path: '/v1/endpoints/{id}/test',
      access: 'admin',
      summary:
        'Sends an endpoint.test event, or a sample of the given type with `test: true` in its data, to this endpoint alone. With `url` it goes there once, signed by the secret of this endpoint but without its headers, and the answer is the attempt; 202 without it if that takes too long.',
      body: endpointTestSchema(context),
      bodyOptional: true,
      answers: { 200: urlTestAnswer, 202: eventIdAnswer },
      handle: async ({ params, body: { type = 'endpoint.test', url }, once }) => {
        const endpointId = (await known(params.id)).id;
        let due: Due | undefined;
        const { ids } = await once(async (commit) => {
          const sent = await (url === undefined
            ? test(endpointId, type, commit)
            : urlTest.start({ endpointId, type, url }, commit));
          due = sent.due;
          return sent.outcome;
        });
        await hints.send(due);
        const { eventId } = ids;
        const attempt = url === undefined ? undefined : await urlTest.ended(endpointId, eventId);
        if (!attempt) return { status: 202, body: { eventId } };
        return ok({ eventId, attempt: attemptView(attempt) });
      },
    }),
  ];
}
