import * as z from 'zod/mini';
import type { EndpointRow } from '../../domain/delivering/endpoint.ts';
import { isFetched } from '../../domain/delivering/endpoint-kinds/endpoint-kinds.ts';
import type { ApiContext } from '../http/context.ts';
import { conflict, Problem } from '../http/problem.ts';
import { ok, type Route, route } from '../http/route.ts';
import { waitFor } from '../http/wait-for.ts';
import { knownEndpoint } from './known-endpoint.ts';
import { createMessageWaits, MAX_WAITS_OF_ENDPOINT } from './message-waits.ts';
import { createMessages } from './messages.ts';

const MAX_WAIT_S = 20;
/** How often a waiting call checks for messages, ms. */
const CHECK_EVERY_MS = 500;
const MAX_ACKNOWLEDGED = 100;

const messageId = z
  .string()
  .check(z.regex(/^msg_[0-9a-z_]{1,100}$/, 'This is not the id of a message: give its webhook-id.'));
const acknowledgementSchema = z.strictObject({
  ids: z
    .array(messageId)
    .check(z.minLength(1), z.maxLength(MAX_ACKNOWLEDGED), z.describe('The `webhook-id` of each message.')),
});

/** What a client behind a firewall calls: it fetches its messages, and acknowledges those it is done with. */
export function messageRoutes(context: ApiContext): Route[] {
  const { table, endpoints, maxWaits, now, randomBytes } = context;
  const messages = createMessages(context);
  const waits = createMessageWaits(table, maxWaits, now, randomBytes);

  async function pullEndpoint(id: string | undefined): Promise<EndpointRow> {
    const endpoint = await knownEndpoint(endpoints, id);
    if (!isFetched(endpoint)) {
      throw conflict(
        `Messages can be fetched from endpoints of kind \`pull\` only, and this one is of kind \`${endpoint.kind}\`.`,
      );
    }
    return endpoint;
  }

  async function waiting(id: string | undefined) {
    const items = await messages.read(await pullEndpoint(id));
    return items.length > 0 ? items : undefined;
  }

  return [
    route({
      name: 'fetchMessages',
      method: 'GET',
      path: '/v1/endpoints/{id}/messages',
      access: 'consumer',
      summary: 'Lists the signed messages of a pull endpoint that are not acknowledged, the oldest first.',
      query: z.strictObject({
        wait: z.optional(
          z
            .string()
            .check(
              z.regex(/^([0-9]|1[0-9]|20)$/, `This must be a whole number of seconds up to ${MAX_WAIT_S}.`),
              z.describe(`Seconds to wait for a message, at most ${MAX_WAIT_S}; default 0.`),
            ),
        ),
      }),
      refusals: [409],
      answers: { 200: 'Messages' },
      handle: async ({ params, query }) => {
        const look = () => waiting(params.id);
        const first = await look();
        const forMs = Number(query.wait ?? 0) * 1_000;
        if (first || forMs === 0) return ok({ items: first ?? [] });
        const places = await waits.enter(params.id ?? '', forMs);
        if (places === 'endpoint') throw tooManyWaits(MAX_WAITS_OF_ENDPOINT, 'of this endpoint');
        if (places === 'bridge') throw tooManyWaits(maxWaits, 'of pull endpoints (the setting `maxWaits`)');
        try {
          const found = await waitFor(look, { forMs, everyMs: CHECK_EVERY_MS }, context);
          return ok({ items: found ?? [] });
        } finally {
          await waits.leave(places);
        }
      },
    }),
    route({
      name: 'acknowledgeMessages',
      method: 'POST',
      path: '/v1/endpoints/{id}/messages/ack',
      access: 'consumer',
      summary:
        'Acknowledges messages of a pull endpoint by the ids of their events; they are not returned again.',
      body: acknowledgementSchema,
      answers: { 200: 'Acknowledged' },
      handle: async ({ params, body, once }) => {
        const endpoint = await pullEndpoint(params.id);
        const { ids } = await once(async (commit) => {
          let acknowledged = 0;
          for (const id of new Set(body.ids)) if (await messages.acknowledge(endpoint, id)) acknowledged++;
          return commit([], { status: 200, ids: { acknowledged: String(acknowledged) } });
        });
        return ok({ acknowledged: Number(ids.acknowledged) });
      },
    }),
  ];
}

function tooManyWaits(most: number, whose: string): Problem {
  const detail = `${most} calls already wait for messages ${whose}: let one of them end, or call without \`wait\`.`;
  return new Problem(429, detail, { headers: { 'retry-after': '1' } });
}
