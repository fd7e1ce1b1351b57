import { STATUS_CODES } from 'node:http';
import * as z from 'zod/mini';
import { SAMPLE_DATA } from '../../domain/events/event-samples.ts';
import { EVENT_DESCRIPTIONS, EVENT_TYPES, type EventType } from '../../domain/events/event-types.ts';
import { answers, named } from '../http/answers.ts';
import type { Access, Route } from '../http/route.ts';
// Each names its schemas. Only the document needs them, so they are loaded with it.
import '../deliveries/delivery-answers.ts';
import '../doctor/doctor-answers.ts';
import '../endpoints/endpoint-answers.ts';
import '../parked/parked-answers.ts';
import '../events/event-answers.ts';
import '../requests/request-answers.ts';
import '../requests/timeline-answer.ts';
import '../stats/stats-answers.ts';
import { ANSWER_EXAMPLES, BODY_EXAMPLES, eventExample } from './examples.ts';

const { toJSONSchema } = await import('../late/json-schema.ts');

named('OpenApi', z.record(z.string(), z.unknown()));

/** The description of the API, made of the routes themselves, so that it can't differ from them. */
export function describe(routes: readonly Route[]) {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const each of routes) {
    paths[each.path] = { ...paths[each.path], [each.method.toLowerCase()]: operation(each) };
  }
  const schemas = namedSchemas();
  return {
    openapi: '3.1.0',
    info: {
      title: 'Webhook bridge for the Topaz Video API',
      version: '1',
      description: 'Registers requests, sends signed webhooks about them and stores their videos.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ apiKey: [] }],
    paths,
    webhooks: Object.fromEntries(EVENT_TYPES.map((type) => [type, webhook(type, schemas)])),
    components: {
      schemas,
      responses: { Problem: { description: 'What is wrong, and what to do (RFC 9457).', content: PROBLEM } },
      securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } },
    },
  };
}

/** A message to an endpoint, as a receiver gets it. */
function webhook(type: EventType, schemas: Schemas) {
  return {
    post: {
      operationId: receiverOf(type),
      summary: EVENT_DESCRIPTIONS[type],
      description: 'Signed by Standard Webhooks; repeated with the same id until the answer is 2xx.',
      parameters: Object.entries(WEBHOOK_HEADERS).map(([name, description]) => ({
        name,
        in: 'header',
        required: true,
        description,
        schema: { type: 'string' },
      })),
      requestBody: {
        required: true,
        content: {
          'application/json': { schema: eventSchema(type, schemas), example: eventExample(type) },
        },
      },
      responses: { '2XX': { description: 'Delivered.' } },
    },
  };
}

/** The schema of events, with the fields alone that those of the type may have. */
function eventSchema(type: EventType, schemas: Schemas) {
  const { examples: _, ...event } = schemas.Event ?? {};
  const { data, ...others } = event.properties ?? {};
  const own = Object.keys(SAMPLE_DATA[type]).map((name) => [name, data?.properties?.[name]]);
  return {
    ...event,
    properties: {
      ...others,
      type: { ...others.type, enum: [type] },
      data: { ...data, properties: Object.fromEntries(own) },
    },
  };
}

const WEBHOOK_HEADERS = {
  'webhook-id': 'The id of the event: the same in every attempt and replay.',
  'webhook-timestamp': 'When this attempt was signed, in seconds since 1970.',
  'webhook-signature':
    '`v1,` and base64 of the HMAC-SHA256; one for each secret that signs, with spaces between.',
};

/** Such as `receiveVideoStored`. */
const receiverOf = (type: EventType): string =>
  `receive.${type}`.replaceAll(/[._](\w)/g, (_, letter: string) => letter.toUpperCase());

function operation(each: Route) {
  const body = each.describedBody ?? each.body;
  return {
    operationId: each.name,
    summary: each.summary,
    ...(each.access === 'public' ? { security: [] } : {}),
    ...(NEEDED_ROLE[each.access] ? { description: NEEDED_ROLE[each.access] } : {}),
    parameters: parameters(each),
    ...(body
      ? {
          requestBody: {
            required: !each.bodyOptional,
            content: { 'application/json': { schema: jsonSchema(body), example: BODY_EXAMPLES[each.name] } },
          },
        }
      : {}),
    responses: {
      ...Object.fromEntries(
        Object.entries(each.answers).map(([status, name]) => [status, answer(status, name)]),
      ),
      ...Object.fromEntries(refusals(each).map((status) => [status, refusal(status)])),
      default: { $ref: '#/components/responses/Problem' },
    },
  };
}

const NEEDED_ROLE: Partial<Record<Access, string>> = {
  admin: 'Needs a key with the role `admin`.',
  consumer: 'Needs a key with the role `admin`, or one with the role `consumer` for this endpoint.',
};

function answer(status: string, name: string | null) {
  const where = { Location: { schema: { type: 'string' }, description: 'Where it is.' } };
  return {
    description: STATUS_CODES[status] ?? status,
    ...(status === '201' || status === '302' ? { headers: where } : {}),
    ...(name === null ? {} : { content: { 'application/json': { schema: ref(name) } } }),
  };
}

/** The statuses of refusals, as they follow from what a route takes. */
function refusals({ access, method, path, refusals: own = [] }: Route): number[] {
  const isPublic = access === 'public';
  const changes = method !== 'GET';
  return [
    ...(isPublic ? [] : [400, 401, 403, 429]),
    ...(path.includes('{') ? [404] : []),
    ...(changes ? [409] : []),
    413,
    ...(method === 'POST' || method === 'PATCH' ? [415] : []),
    ...own,
  ];
}

/** The header that a refusal brings along, by its status. */
const REFUSAL_HEADERS: Readonly<Record<number, string>> = { 401: 'WWW-Authenticate', 429: 'Retry-After' };

function refusal(status: number) {
  const header = REFUSAL_HEADERS[status];
  return {
    description: STATUS_CODES[status] ?? String(status),
    ...(header ? { headers: { [header]: { schema: { type: 'string' } } } } : {}),
    content: PROBLEM,
  };
}

function parameters(each: Route): unknown[] {
  const inPath = [...each.path.matchAll(/\/(\w+)\/\{(\w+)\}/g)].map(([, list = '', name]) => ({
    name,
    in: 'path',
    required: true,
    description: PATH_PARAMETERS[list],
    schema: { type: 'string', ...(name === 'requestId' ? { format: 'uuid' } : {}) },
  }));
  const { properties = {} } = (each.query ? jsonSchema(each.query) : {}) as { properties?: object };
  const inQuery = Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', schema }));
  return [...inPath, ...inQuery, ...(each.method === 'POST' ? [IDEMPOTENCY_KEY] : [])];
}

/** What a path names, by the list that it is in. */
const PATH_PARAMETERS: Readonly<Record<string, string>> = {
  requests: 'The id that Topaz gave the request.',
  endpoints: 'The id of the endpoint.',
  deliveries: 'The id of the delivery.',
  replays: 'The id of the replay.',
  events: 'The id of the event.',
  parked: 'The id of the parked work.',
  links: 'The last part of a link to a video.',
};

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'The same key and body have one effect and the same ids, for 24 hours.',
  schema: { type: 'string', maxLength: 255 },
};

function jsonSchema(schema: z.ZodMiniType): unknown {
  const { $schema: _, ...rest } = toJSONSchema(schema, { io: 'input', override: withoutBounds });
  return rest;
}

/** As much of a JSON schema as is looked into. */
type Schema = {
  readonly examples?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
};
type Schemas = Readonly<Record<string, Schema>>;

/** The schemas of all answers. As input, so that objects may gain fields. */
function namedSchemas(): Schemas {
  const { schemas } = toJSONSchema(answers, { io: 'input', uri: uriOf, override: withoutBounds });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $schema: _, $id: __, ...schema }]) => [
      name,
      name in ANSWER_EXAMPLES ? { ...schema, examples: [ANSWER_EXAMPLES[name]] } : schema,
    ]),
  ) as Schemas;
}

/** Removes the bounds that every whole number has in JavaScript. */
function withoutBounds({ jsonSchema: schema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
}

const uriOf = (name: string) => `#/components/schemas/${name}`;
const ref = (name: string) => ({ $ref: uriOf(name) });

const PROBLEM = { 'application/problem+json': { schema: ref('Problem') } };
