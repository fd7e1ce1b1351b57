import { STATUS_CODES } from 'node:http';
import * as z from 'zod/mini';
import { EVENT_DESCRIPTIONS, EVENT_TYPES, type EventType } from '../../domain/events/event-types.ts';
import { ok, type Route, route } from '../http/route.ts';
import { components } from './components.ts';

/** The description of the API, made of the routes themselves, so that it can't differ from them. */
export function openApiRoute(routes: readonly Route[]): Route {
  let document: unknown;
  const self: Route = route({
    method: 'GET',
    path: '/v1/openapi.json',
    access: 'public',
    summary: 'This document.',
    answers: { 200: 'OpenApi' },
    handle: async () => {
      document ??= describe([...routes, self]);
      return ok(document);
    },
  });
  return self;
}

function describe(routes: readonly Route[]) {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const each of routes) {
    paths[each.path] = { ...paths[each.path], [each.method.toLowerCase()]: operation(each) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Webhook bridge for the Topaz Video API', version: '1' },
    servers: [{ url: '/' }],
    security: [{ apiKey: [] }],
    paths,
    webhooks: Object.fromEntries(EVENT_TYPES.map((type) => [type, webhook(type)])),
    components: { ...components, securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
  };
}

/** A message to an endpoint, as a receiver gets it. */
function webhook(type: EventType) {
  return {
    post: {
      summary: EVENT_DESCRIPTIONS[type],
      description: 'Signed by Standard Webhooks; repeated with the same id until the answer is 2xx.',
      parameters: ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => ({
        name,
        in: 'header',
        required: true,
        schema: { type: 'string' },
      })),
      requestBody: { required: true, content: { 'application/json': { schema: ref('Event') } } },
      responses: { '2XX': { description: 'Delivered.' } },
    },
  };
}

function operation(each: Route) {
  const answers = Object.entries(each.answers).map(([status, schema]) => [
    status,
    {
      description: STATUS_CODES[status] ?? status,
      ...(schema ? { content: { 'application/json': { schema: ref(schema) } } } : {}),
    },
  ]);
  return {
    summary: each.summary,
    ...(each.access === 'public' ? { security: [] } : {}),
    ...(each.access === 'admin' ? { description: 'Needs a key with the role "admin".' } : {}),
    parameters: parameters(each),
    ...(each.body
      ? {
          requestBody: {
            required: !each.bodyOptional,
            content: { 'application/json': { schema: jsonSchema(each.body) } },
          },
        }
      : {}),
    responses: { ...Object.fromEntries(answers), default: { $ref: '#/components/responses/Problem' } },
  };
}

function parameters(each: Route): unknown[] {
  const inPath = [...each.path.matchAll(/\{([^{}]+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const { properties = {} } = (each.query ? jsonSchema(each.query) : {}) as { properties?: object };
  const inQuery = Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', schema }));
  const key = { name: 'Idempotency-Key', in: 'header', schema: { type: 'string', maxLength: 255 } };
  return [...inPath, ...inQuery, ...(each.method === 'POST' ? [key] : [])];
}

function jsonSchema(schema: z.ZodMiniType): unknown {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return rest;
}

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
