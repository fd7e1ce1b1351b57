import { beforeAll, expect, test } from 'vitest';
import { ConditionFailed } from '../../../../lambdas/adapters/dynamodb/condition-failed.ts';
import type { Table } from '../../../../lambdas/adapters/dynamodb/table.ts';
import { signLink } from '../../../../lambdas/domain/copying/link-token.ts';
import { deliveryId, endpointId } from '../../../../lambdas/domain/ids.ts';
import { deliveryKey, requestKey, urlTestKey } from '../../../../lambdas/domain/rows.ts';
import { useDatabase } from '../../../support/dynamodb.ts';
import {
  ADMIN,
  type Answer,
  type CallOptions,
  type Client,
  createClient,
  LINK_SECRET,
  uuid,
} from '../call-api.ts';
import { createConformance } from './conformance.ts';

type Operation = {
  readonly operationId: string;
  readonly security?: readonly unknown[];
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly example: unknown } } };
  readonly responses: Readonly<Record<string, unknown>>;
};
type Described = { readonly method: string; readonly path: string; readonly operation: Operation };

const CONSUMER = 'consumer-key';
const API_KEYS = JSON.stringify({
  keys: [
    { id: 'ada', key: ADMIN, role: 'admin' },
    { id: 'farm', key: CONSUMER, role: 'consumer', endpointId: endpointId('account', new Uint8Array(16)) },
  ],
});
const HOOK = 'https://hooks.example.com/topaz';
/**
 * Documented answers that never come: a batch gives each item a status of its own, whoami reads no row, and the doctor
 * reports a refused read in its answer.
 */
const NOT_CAUSED = ['registerRequests 409', 'getWhoami 429', 'getDoctor 429'];

const database = useDatabase();
let operations: ReadonlyMap<string, Described>;
let differences: ReturnType<typeof createConformance>;

beforeAll(async () => {
  const document = (await createClient(database(), { shared: true }).call('GET', '/v1/openapi.json')).body;
  differences = createConformance(document);
  operations = new Map(
    Object.entries<Record<string, Operation>>(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => [
        operation.operationId,
        { method: method.toUpperCase(), path, operation },
      ]),
    ),
  );
});

/** The table, of which some methods fail. */
const failing = (error: () => Error, methods: readonly (keyof Table)[]): Table =>
  new Proxy(database().table, {
    get: (table, name) =>
      methods.includes(name as keyof Table) ? () => Promise.reject(error()) : Reflect.get(table, name),
  });

const throttled = () => Object.assign(new Error('too much'), { name: 'ThrottlingException' });

/** The API over a table that works, one that another call always changes first, and one that is throttled. */
function createApis() {
  const methods = Object.keys(database().table) as (keyof Table)[];
  const of = (table: Table, more: Parameters<typeof createClient>[1] = {}) =>
    createClient({ ...database(), table }, { apiKeys: API_KEYS, ...more });
  const sound = of(database().table, {
    sleep: async (ms) => {
      sound.clock.now += ms;
      await answerUrlTest();
    },
  });
  return {
    sound,
    contended: of(failing(() => new ConditionFailed([0], new Map()), ['write', 'transact'])),
    throttled: of(failing(throttled, methods), { metricHistory: () => Promise.reject(throttled()) }),
  };
}

/** What the deliver stage does while a test of a URL is waited for. */
let testedEndpoint = '';
async function answerUrlTest(): Promise<void> {
  const attempt = { at: Date.UTC(2026, 10, 23, 20), durationMs: 12, statusCode: 204 };
  await database().table.write({ update: urlTestKey(testedEndpoint), set: { attempt } });
}

/** Calls by the names of the document, and what was answered so far, such as `getRequest 404`. */
function createDriver() {
  const apis = createApis();
  const seen = new Set<string>();

  async function check(api: Client, name: string, url: string, status: number, options: CallOptions) {
    const { method, path } = operations.get(name)!;
    const answer = await api.call(method, url, options);
    const made = `${name}: ${method} ${url} ${JSON.stringify(answer.body)}`;
    expect(answer.status, made).toBe(status);
    expect(differences(method, path, answer), made).toBeNull();
    seen.add(`${name} ${status}`);
    return answer;
  }

  /** Makes a call that succeeds; before, the same call where the table does not let it. */
  async function succeed(
    name: string,
    url: string,
    status: number,
    options: CallOptions = {},
  ): Promise<Answer> {
    const { method, operation } = operations.get(name)!;
    const fails = (code: number) => code in operation.responses && !NOT_CAUSED.includes(`${name} ${code}`);
    if (fails(429)) await check(apis.throttled, name, url, 429, options);
    if (fails(409) && method !== 'GET' && !seen.has(`${name} 409`))
      await check(apis.contended, name, url, 409, options);
    return check(apis.sound, name, url, status, options);
  }

  const refuse = (name: string, url: string, status: number, options: CallOptions = {}) =>
    check(apis.sound, name, url, status, options);

  return { succeed, refuse, seen };
}

/** An id in a path that names nothing. */
const unknownUrl = (path: string): string =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => (name === 'requestId' ? uuid('nobody') : 'nothing'));

const documented = (): string[] =>
  [...operations].flatMap(([name, { operation }]) =>
    Object.keys(operation.responses)
      .filter((status) => status !== 'default')
      .map((status) => `${name} ${status}`),
  );

test('every documented call gives each of its documented answers, refusals included, as documented', async () => {
  const { succeed, refuse, seen } = createDriver();
  const { table } = database();
  const requestId = uuid('every call');
  const request = `/v1/requests/${requestId}`;

  await succeed('getHealth', '/healthz', 200, { key: null });
  await succeed('getOpenApi', '/v1/openapi.json', 200, { key: null });
  for (const [name, path] of [
    ['getWhoami', 'whoami'],
    ['getStats', 'stats'],
    ['getStatsHistory', 'stats/history?range=24h'],
    ['getDoctor', 'doctor'],
  ] as const)
    await succeed(name, `/v1/${path}`, 200);

  // Requests.
  const registration = { requestId, callbackUrl: HOOK, metadata: { order: '42' } };
  const { callbacks } = (await succeed('registerRequest', '/v1/requests', 201, { body: registration })).body;
  await succeed('registerRequest', '/v1/requests', 200, { body: registration });
  await succeed('registerRequests', '/v1/requests/batch', 200, { body: { items: [registration, {}] } });
  await succeed('listRequests', '/v1/requests?limit=1', 200);
  await succeed('getRequest', request, 200);
  await succeed('getRequestTimeline', `${request}/timeline`, 200);
  await succeed('pollRequest', `${request}/poll`, 202);
  const video = { state: 'stored', bucket: 'b', key: 'k', size: 5, contentType: 'video/mp4' };
  await table.write({ update: requestKey(requestId), set: { video } });
  await succeed('getVideo', `${request}/video`, 302);
  await succeed('getVideo', `${request}/video`, 200, { headers: { accept: 'application/json' } });
  // After the registration, which came after the doctor had waited.
  const at = Date.UTC(2026, 10, 23, 20, 1);
  const token = signLink({ requestId, issuedAt: at, expiresAt: at + 60_000 }, LINK_SECRET);
  await succeed('followLink', `/v1/links/${token}`, 302, { key: null });

  // Parked work.
  const parked = { reason: 'broken', since: at, lane: 'poll' };
  await table.write({ update: requestKey(requestId), set: { lane: 'parked', dueAt: at, parked } });
  const [waiting] = (await succeed('listParked', '/v1/parked', 200)).body.items;
  await succeed('releaseParked', `/v1/parked/${waiting.id}/release`, 202);

  // Endpoints.
  const { id } = (await succeed('createEndpoint', '/v1/endpoints', 201, { body: { url: HOOK } })).body;
  const endpoint = `/v1/endpoints/${id}`;
  testedEndpoint = id;
  await succeed('listEndpoints', '/v1/endpoints', 200);
  await succeed('getEndpoint', endpoint, 200);
  await succeed('changeEndpoint', endpoint, 200, { body: { enabled: false, headers: { 'x-team': 'a' } } });
  await succeed('getEndpointSecret', `${endpoint}/secret`, 200);
  await refuse('getEndpointSecret', `/v1/endpoints/${callbacks[0].endpointId}/secret`, 409);
  await succeed('rotateEndpointSecret', `${endpoint}/secret/rotate`, 200, { body: {} });
  const { eventId } = (await succeed('testEndpoint', `${endpoint}/test`, 202)).body;
  await succeed('testEndpoint', `${endpoint}/test`, 200, { body: { url: HOOK } });
  await succeed('getCallbackSecret', '/v1/callback-secret', 200);
  await succeed('rotateCallbackSecret', '/v1/callback-secret/rotate', 200, { body: {} });

  // Events and deliveries.
  await succeed('listEvents', '/v1/events?type=endpoint.*', 200);
  await succeed('getEvent', `/v1/events/${eventId}`, 200);
  await succeed('listRequestEvents', `${request}/events`, 200);
  const delivery = deliveryId(id, eventId);
  await table.write({
    put: {
      ...deliveryKey(id, eventId),
      id: delivery,
      eventId,
      endpointId: id,
      type: 'endpoint.test',
      state: 'failed',
      createdAt: at,
      attempts: [{ at, durationMs: 12, error: 'connect_refused', reason: 'refused' }],
      attemptCount: 1,
      failures: 1,
    },
  });
  await succeed('listDeliveries', `${endpoint}/deliveries`, 200);
  await succeed('getDelivery', `/v1/deliveries/${delivery}`, 200);
  await succeed('retryDelivery', `/v1/deliveries/${delivery}/retry`, 202);
  const since = new Date(at).toISOString();
  const replay = await succeed('replayDeliveries', `${endpoint}/replay`, 202, {
    body: { since, until: '2027-01-01T00:00:00Z' },
  });
  await succeed('getReplay', `/v1/replays/${replay.body.replayId}`, 200);

  // Messages of a pull endpoint.
  const pull = (await succeed('createEndpoint', '/v1/endpoints', 201, { body: { kind: 'pull' } })).body.id;
  const acknowledged = { ids: [eventId] };
  await refuse('fetchMessages', `${endpoint}/messages`, 409);
  await refuse('acknowledgeMessages', `${endpoint}/messages/ack`, 409, { body: acknowledged });
  await succeed('fetchMessages', `/v1/endpoints/${pull}/messages`, 200);
  await succeed('acknowledgeMessages', `/v1/endpoints/${pull}/messages/ack`, 200, { body: acknowledged });

  await succeed('deleteEndpoint', endpoint, 204);
  await succeed('stopRequest', request, 204);

  // What is refused before a call's own work begins.
  for (const [name, { path, operation }] of operations) {
    const url = unknownUrl(path);
    const body = operation.requestBody?.content['application/json'].example;
    const refusals: Record<number, () => Promise<Answer>> = {
      400: () => refuse(name, `${url}?nonsense=1`, 400, { body }),
      401: () => refuse(name, url, 401, { key: null }),
      403: () => refuse(name, url, 403, { key: CONSUMER }),
      404: () => refuse(name, url, 404, { body }),
      413: () => refuse(name, url, 413, { raw: 'x'.repeat(1_100_000) }),
      415: () => refuse(name, url, 415, { raw: '{}', headers: { 'content-type': 'text/plain' } }),
    };
    for (const [status, run] of Object.entries(refusals)) if (status in operation.responses) await run();
  }
  expect(documented().filter((each) => !seen.has(each))).toEqual(NOT_CAUSED);
});
