import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import type { Functions } from './functions.ts';
import { Actor } from './simulation.ts';
import { API_KEY, coldStartApi, type World } from './stages.ts';

export type Answer = {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape
  readonly body: any;
};

/** How users call the API: until it has taken a stand, and a list to its end. */
export type ApiCalls = {
  call(method: string, url: string, body?: unknown): Promise<Answer>;
  list<T>(url: string): Promise<T[]>;
};

const GATEWAY_TIMEOUT_MS = 30_000;
const TRIES = 200;
/** Shorter than the gateway waits: then Lambda has ended the function, too. */
const FREEZES_MS = [5_000, 25_000];

/** The HTTP API as its users call it: through the gateway, with functions behind it that fail and die like all others. */
export function createApiCalls(
  world: World,
  { newSkew, newFuse }: Pick<Functions, 'newSkew' | 'newFuse'>,
  onAnswer: (call: string, text: string) => void,
): ApiCalls {
  const { simulation } = world;
  const { random } = simulation;
  let started = 0;
  let container = start();

  function start() {
    const actor = new Actor(`api-${++started}`, newSkew());
    return { actor, handler: simulation.as(actor, () => coldStartApi(world)) };
  }

  /** One call; the gateway answers when the function fails or takes too long. */
  function once(
    method: string,
    url: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const { actor, handler } = container;
    if (random.chance(0.1)) container = start();
    return new Promise((resolve) => {
      const answer = (status: number, text: string) => {
        onAnswer(`${method} ${url}`, text);
        resolve({ status, body: text === '' ? undefined : JSON.parse(text) });
      };
      const leave = () => {
        if (container.actor === actor) container = start();
      };
      const die = () => {
        actor.alive = false;
        leave();
        answer(503, '{"message":"Service Unavailable"}');
      };
      actor.die = die;
      actor.fuse = newFuse(actor, die, FREEZES_MS);
      const off = simulation.after(GATEWAY_TIMEOUT_MS, () => {
        leave();
        answer(503, '{"message":"Service Unavailable"}');
      });
      simulation
        .as(actor, () => handler(gatewayEvent(method, url, body, headers), {} as Context))
        .then(
          (result) => {
            off();
            actor.die = undefined;
            const { statusCode = 0, body: text = '' } = result as APIGatewayProxyStructuredResultV2;
            answer(statusCode, text);
          },
          (error: unknown) => {
            off();
            world.onCrash('api', error);
            answer(500, '{"message":"Internal Server Error"}');
          },
        );
    });
  }

  /** Calls until the API has taken a stand, as a careful client does: the same again, with the same key. */
  async function call(method: string, url: string, body?: unknown): Promise<Answer> {
    const headers: Record<string, string> = method === 'POST' ? { 'idempotency-key': random.uuid() } : {};
    for (let attempt = 1; ; attempt++) {
      const answer = await once(method, url, body, headers);
      if (answer.status < 500 && answer.status !== 429) return answer;
      if (attempt === TRIES) throw new Error(`${method} ${url} answers ${answer.status} again and again`);
      await simulation.sleep(random.integer(200, 5_000));
    }
  }

  /** All items of a list. */
  async function list<T>(url: string): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | undefined;
    do {
      const separator = url.includes('?') ? '&' : '?';
      const from = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const { status, body } = await call('GET', `${url}${separator}limit=100${from}`);
      if (status !== 200) return items;
      items.push(...(body.items as T[]));
      cursor = body.cursor;
    } while (cursor !== undefined);
    return items;
  }

  return { call, list };
}

function gatewayEvent(
  method: string,
  url: string,
  body: unknown,
  headers: Record<string, string>,
): APIGatewayProxyEventV2 {
  const [path = '', rawQueryString = ''] = url.split('?');
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString,
    headers: {
      authorization: `Bearer ${API_KEY}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(rawQueryString === ''
      ? {}
      : { queryStringParameters: Object.fromEntries(new URLSearchParams(rawQueryString)) }),
    requestContext: {
      http: { method, path },
      requestId: 'chaos',
    } as APIGatewayProxyEventV2['requestContext'],
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    isBase64Encoded: false,
  };
}
