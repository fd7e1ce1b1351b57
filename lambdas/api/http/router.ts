import middy from '@middy/core';
import httpRouter from '@middy/http-router';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { log } from '../../adapters/lambda/log.ts';
import type { Authenticate, Caller } from './auth.ts';
import { readBody } from './body.ts';
import { type Idempotency, NO_KEY, type Scope } from './idempotency.ts';
import { invalid, Problem } from './problem.ts';
import { problemOf } from './refusal.ts';
import type { Answer, Call, KeyedItem, Route } from './route.ts';
import { parse } from './validation.ts';

type Event = APIGatewayProxyEventV2;
type Result = APIGatewayProxyStructuredResultV2;

const MAX_KEY = 255;
/** Visible ASCII, as a header carries it. */
const IDEMPOTENCY_KEY = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/;
/** What the router answers when no route matches and there is another router to ask. */
const UNROUTED: Result = {};
const ANONYMOUS: Caller = { id: '', role: 'read' };

/**
 * The handler of API Gateway's HTTP API events (payload 2.0) for the routes.
 *
 * @param otherwise serves what none of them does; by default that is refused
 */
export function createRouter(
  routes: readonly Route[],
  authenticate: Authenticate,
  idempotency: Idempotency,
  otherwise?: (event: Event, context: Context) => Promise<Result>,
) {
  const router = httpRouter<Event, Result>({
    routes: routes.flatMap((each) => {
      const { method, path } = each;
      const handler = async (event: Event) => toResult(await serve(each, event));
      const withoutBody = async (event: Event) => ({ ...(await handler(event)), body: '' });
      const head = { method: 'HEAD' as const, path, handler: withoutBody };
      return [{ method, path, handler }, ...(method === 'GET' ? [head] : [])];
    }),
    notFoundResponse: ({ method, path }) => {
      if (otherwise) return UNROUTED;
      throw unrouted(routes, method, path);
    },
  });
  const route = router as unknown as (event: Event, context: Context) => Promise<Result>;
  return middy<Event, Result>()
    .onError(async (request) => {
      request.response = toResult(refusal(request.error, request.event));
    })
    .handler(async (event, context) => {
      const result = await route(event, context);
      return result === UNROUTED && otherwise ? otherwise(event, context) : result;
    });

  async function serve(served: Route, event: Event): Promise<Answer> {
    const caller = served.access === 'public' ? ANONYMOUS : await authorize(served, event);
    const { method, path } = event.requestContext.http;
    const body = readBody(served, event);
    const answer = await served.handle({
      caller,
      headersOnly: method === 'HEAD',
      path,
      params: (event.pathParameters ?? {}) as Record<string, string>,
      query: queryOf(served, event),
      body,
      accept: event.headers.accept ?? '',
      ...keyed(event, caller, { query: event.rawQueryString, body }),
    });
    if (served.method !== 'GET') {
      const { status } = answer;
      log.info('changed', { method, route: served.path, caller: caller.id, status, ...idsOf(event, answer) });
    }
    return answer;
  }

  async function authorize({ access }: Route, event: Event): Promise<Caller> {
    const caller = await authenticate(event.headers.authorization);
    const { id } = caller;
    if (caller.role === 'admin' || (caller.role === 'read' && access === 'read')) return caller;
    if (caller.role === 'read') {
      const others = access === 'consumer' ? ', or "consumer" for this endpoint' : '';
      throw new Problem(403, `The key "${id}" may only read: use one with the role "admin"${others}.`);
    }
    if (access === 'consumer' && event.pathParameters?.id === caller.endpointId) return caller;
    throw new Problem(
      403,
      `The key "${id}" may only fetch and acknowledge messages of ${caller.endpointId}: use another key.`,
    );
  }

  /** A key is known per caller, method and path; a batch adds the item's id. */
  function keyed(
    event: Event,
    caller: Caller,
    asked: unknown,
  ): Pick<Call<unknown, unknown>, 'once' | 'findKept'> {
    const { method, path } = event.requestContext.http;
    const given = method === 'POST' ? givenOnce(event.headers['idempotency-key']) : undefined;
    if (given === undefined) {
      return {
        once: (effect) => idempotency.once(undefined, effect),
        findKept: async (items) => items.map(() => NO_KEY),
      };
    }
    if (given.length > MAX_KEY || !IDEMPOTENCY_KEY.test(given)) {
      const message = `This must be 1 to ${MAX_KEY} visible ASCII characters: change it.`;
      throw invalid([{ path: 'Idempotency-Key', message }]);
    }
    const scopeOf = (item?: KeyedItem): Scope => ({
      caller: caller.id,
      method,
      path: path.replace(/\/$/, ''),
      key: item ? `${given}#${item.id}` : given,
      request: JSON.stringify(item ? item.content : asked),
    });
    return {
      once: (effect, item) => idempotency.once(scopeOf(item), effect),
      findKept: (items) => idempotency.find(items.map(scopeOf)),
    };
  }
}

/** What a changing call was about: the ids in its path, and the request that it registered. */
function idsOf({ pathParameters }: Event, { body }: Answer): Record<string, unknown> {
  const { requestId } = (body ?? {}) as { requestId?: unknown };
  return { ...(requestId !== undefined && { requestId }), ...pathParameters };
}

/** The gateway joins headers of one name by commas: the same key twice is that key. */
function givenOnce(header: string | undefined): string | undefined {
  const [first, ...others] = header?.split(',').map((each) => each.trim()) ?? [];
  return first !== '' && others.every((each) => each === first) ? first : header;
}

function queryOf(served: Route, event: Event): unknown {
  const given = event.queryStringParameters ?? {};
  if (served.query) return parse(served.query, given);
  // A client may have added parameters to a link; elsewhere an unknown one is a mistake.
  const unknown = served.access === 'public' ? [] : Object.keys(given);
  if (unknown.length === 0) return {};
  throw invalid(unknown.map((path) => ({ path, message: 'This parameter is unknown: remove it.' })));
}

/** 405 with the methods that the path has, or 404 when it has none. */
function unrouted(routes: readonly Route[], method: string, path: string): Problem {
  const allowed = routes.filter((each) => pattern(each.path).test(path)).map((each) => each.method);
  if (allowed.length === 0)
    return new Problem(404, `There is no ${path}: see /v1/openapi.json for all paths.`);
  const allow = [...new Set(allowed.flatMap((each) => (each === 'GET' ? ['GET', 'HEAD'] : each)))].join(', ');
  return new Problem(405, `${path} does not take ${method}: use ${allow}.`, { headers: { allow } });
}

const pattern = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{[^{}]+\}/g, '[^/]+')}/?$`);

function refusal(error: unknown, event: Event): Answer {
  const problem = problemOf(error);
  if (problem.status >= 500) {
    const { requestContext, pathParameters } = event;
    log.error('call failed', {
      callId: requestContext.requestId,
      method: requestContext.http.method,
      // Not all parameters: the token of a link lets anyone download.
      requestId: pathParameters?.requestId,
      error: error as Error,
    });
  }
  return {
    status: problem.status,
    body: problem.details(),
    headers: { ...problem.headers, 'content-type': 'application/problem+json' },
  };
}

function toResult({ status, body, headers = {} }: Answer): Result {
  return {
    statusCode: status,
    headers: {
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? '' : JSON.stringify(body),
  };
}
