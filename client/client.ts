import { type CallOptions, type ClientOptions, createExchange, type PostOptions } from './exchange.ts';
import { createList, type List } from './list.ts';
import { registerMany } from './register-many.ts';
import type {
  Acknowledged,
  BatchItem,
  BridgeEvent,
  Delivery,
  Doctor,
  Endpoint,
  EndpointChange,
  EndpointWithSecret,
  EventId,
  History,
  Messages,
  NewEndpoint,
  NewReplay,
  Parked,
  Registration,
  Replay,
  ReplayId,
  Rotation,
  Secret,
  SignedUrl,
  Stats,
  Timeline,
  UrlTest,
  VideoRequest,
  Whoami,
} from './types.ts';

export { ApiError, ConnectionError } from './errors.ts';
export type { CallOptions, ClientOptions, PostOptions } from './exchange.ts';
export type { List, PageOptions } from './list.ts';
export type * from './types.ts';

/** The bridge's HTTP API, typed. */
export type Client = ReturnType<typeof createClient>;

/** The filter of the list of requests. */
export type RequestFilter = {
  readonly state?: VideoRequest['state'] | undefined;
  readonly status?: string | undefined;
  /** Searches ids, values of metadata and error texts of the newest 2,000 requests from the cursor on. */
  readonly q?: string | undefined;
};

/** The filter of the list of events. */
export type EventFilter = {
  /** A type of event, or a prefix with `.*`. */
  readonly type?: string | undefined;
  /** The time range of the events, without `until` itself. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
};

/** The filter of an endpoint's deliveries. */
export type DeliveryFilter = EventFilter & {
  readonly state?: Delivery['state'] | undefined;
  /** What the last attempt was answered: `404`, `5xx`, or `none` for no answer. */
  readonly statusCode?: string | undefined;
};

/**
 * A client of one bridge. It works in browsers and in Node, and needs nothing but `fetch`.
 *
 * @example
 * const bridge = createClient({ url: 'https://abc.execute-api.eu-central-1.amazonaws.com', key });
 * await bridge.requests.register({ requestId, callbackUrl: 'https://example.com/hooks' });
 * for await (const request of bridge.requests.list({ state: 'active' })) console.log(request.status);
 */
export function createClient(options: ClientOptions) {
  const exchange = createExchange(options);
  const get = <T>(path: string, call: CallOptions = {}) => exchange<T>('GET', path, call);
  const post = <T>(path: string, body: unknown, call: PostOptions = {}) =>
    exchange<T>('POST', path, { ...call, body });
  const list = <T>(path: string, filter: Record<string, string | undefined> = {}, call: CallOptions = {}) =>
    createList<T>(exchange, path, filter, call);
  const batch = (items: readonly Registration[], call?: PostOptions) =>
    post<{ items: BatchItem[] }>('/v1/requests/batch', { items }, call);

  return {
    requests: {
      /** Tracks a request, or adds a callback. `restart`: polls an ended or stopped one again. */
      register: (
        registration: Registration,
        { restart, ...call }: PostOptions & { readonly restart?: boolean } = {},
      ) =>
        exchange<VideoRequest>('POST', '/v1/requests', {
          ...call,
          body: registration,
          query: { restart: restart || undefined },
        }),
      /** Tracks up to 100 requests in one call; the answer has a status for each. */
      registerBatch: batch,
      /**
       * Tracks any number of requests; gives each result as it comes. An idempotency key holds for all of them:
       * each is kept under its `requestId`, too.
       */
      registerMany: (
        items: Iterable<Registration> | AsyncIterable<Registration>,
        call: PostOptions = {},
      ): AsyncGenerator<BatchItem> => registerMany(batch, items, call),
      list: (filter?: RequestFilter, call?: CallOptions): List<VideoRequest> =>
        list('/v1/requests', { ...filter }, call),
      get: (requestId: string, call?: CallOptions) => get<VideoRequest>(requestPath(requestId), call),
      timeline: (requestId: string, call?: CallOptions) =>
        get<Timeline>(`${requestPath(requestId)}/timeline`, call),
      /** Its events, the oldest first. */
      events: (requestId: string, call?: CallOptions): List<BridgeEvent> =>
        list(`${requestPath(requestId)}/events`, {}, call),
      /** A URL of the stored video that works for some minutes; `inline` for a player. */
      video: (requestId: string, { inline, ...call }: CallOptions & { readonly inline?: boolean } = {}) =>
        exchange<SignedUrl>('GET', `${requestPath(requestId)}/video`, {
          ...call,
          query: { inline: inline || undefined },
        }),
      /** Polls it now, and releases its parked work. */
      poll: (requestId: string, call?: PostOptions) =>
        post<VideoRequest>(`${requestPath(requestId)}/poll`, undefined, call),
      /** Stops tracking; `purge` also erases its data and cancels its deliveries. */
      stop: (requestId: string, { purge, ...call }: CallOptions & { readonly purge?: boolean } = {}) =>
        exchange<void>('DELETE', requestPath(requestId), { ...call, query: { purge: purge || undefined } }),
    },

    endpoints: {
      create: (endpoint: NewEndpoint, call?: PostOptions) =>
        post<EndpointWithSecret>('/v1/endpoints', endpoint, call),
      /** Account-wide endpoints, or with `kind: 'callback'` those of requests. */
      list: (filter?: { readonly kind?: Endpoint['kind'] | undefined }, call?: CallOptions): List<Endpoint> =>
        list('/v1/endpoints', { ...filter }, call),
      get: (id: string, call?: CallOptions) => get<Endpoint>(endpointPath(id), call),
      change: (id: string, change: EndpointChange, call?: CallOptions) =>
        exchange<Endpoint>('PATCH', endpointPath(id), { ...call, body: change }),
      delete: (id: string, call?: CallOptions) => exchange<void>('DELETE', endpointPath(id), call),
      secret: (id: string, call?: CallOptions) => get<Secret>(`${endpointPath(id)}/secret`, call),
      rotateSecret: (id: string, rotation: Rotation = {}, call?: PostOptions) =>
        post<Secret>(`${endpointPath(id)}/secret/rotate`, rotation, call),
      /** Sends `endpoint.test`, or a sample of another type. */
      test: (id: string, { type, ...call }: PostOptions & { readonly type?: BridgeEvent['type'] } = {}) =>
        post<EventId>(`${endpointPath(id)}/test`, { type }, call),
      /** Sends a sample to any URL, once, signed by the endpoint's secret, and waits for what is answered. */
      testUrl: (
        id: string,
        { type, url, ...call }: PostOptions & { readonly type?: BridgeEvent['type']; readonly url: string },
      ) => post<UrlTest>(`${endpointPath(id)}/test`, { type, url }, call),
      /** Sends earlier deliveries again; `replays.get` shows how far it is. */
      replay: (id: string, replay: NewReplay, call?: PostOptions) =>
        post<ReplayId>(`${endpointPath(id)}/replay`, replay, call),
      /** What `replay` would send again: of its range the failed deliveries or, with `all`, the delivered ones too. */
      toReplay: (
        id: string,
        { state = 'failed', ...range }: NewReplay,
        call: CallOptions = {},
      ): List<Delivery> =>
        createList(
          exchange,
          `${endpointPath(id)}/deliveries`,
          state === 'failed' ? { ...range, state } : range,
          call,
          (each: Delivery) => each.state === 'failed' || each.state === 'delivered',
        ),
      deliveries: (id: string, filter?: DeliveryFilter, call?: CallOptions): List<Delivery> =>
        list(`${endpointPath(id)}/deliveries`, { ...filter }, call),
      /** Messages of a pull endpoint; `wait`: how long to wait for some, in seconds, at most 20. */
      messages: (id: string, { wait, ...call }: CallOptions & { readonly wait?: number } = {}) =>
        exchange<Messages>('GET', `${endpointPath(id)}/messages`, { ...call, query: { wait } }),
      acknowledge: (id: string, ids: readonly string[], call?: PostOptions) =>
        post<Acknowledged>(`${endpointPath(id)}/messages/ack`, { ids }, call),
    },

    deliveries: {
      get: (id: string, call?: CallOptions) => get<Delivery>(`/v1/deliveries/${segment(id)}`, call),
      retry: (id: string, call?: PostOptions) =>
        post<Delivery>(`/v1/deliveries/${segment(id)}/retry`, undefined, call),
    },

    events: {
      /** Those of all requests and endpoints, the newest first. */
      list: (filter: EventFilter = {}, call: CallOptions = {}): List<BridgeEvent> =>
        list('/v1/events', { ...filter }, call),
      get: (id: string, call?: CallOptions) => get<BridgeEvent>(`/v1/events/${segment(id)}`, call),
    },

    replays: {
      get: (id: string, call?: CallOptions) => get<Replay>(`/v1/replays/${segment(id)}`, call),
    },

    /** Work that waits for a person. */
    parked: {
      list: (call?: CallOptions): List<Parked> => list('/v1/parked', {}, call),
      release: (id: string, call?: PostOptions) =>
        post<Parked>(`/v1/parked/${segment(id)}/release`, undefined, call),
    },

    /** What signs the callbacks of requests. */
    callbackSecret: {
      get: (call?: CallOptions) => get<Secret>('/v1/callback-secret', call),
      rotate: (rotation: Rotation = {}, call?: PostOptions) =>
        post<Secret>('/v1/callback-secret/rotate', rotation, call),
    },

    stats: (call?: CallOptions) => get<Stats>('/v1/stats', call),
    history: (range: History['range'] = '1h', call: CallOptions = {}) =>
      exchange<History>('GET', '/v1/stats/history', { ...call, query: { range } }),
    doctor: (call?: CallOptions) => get<Doctor>('/v1/doctor', call),
    /** The name and role of the key. */
    whoami: (call?: CallOptions) => get<Whoami>('/v1/whoami', call),
    health: (call?: CallOptions) => get<{ status: 'ok' }>('/healthz', call),
    /** The API's document, OpenAPI 3.1. */
    openApi: (call?: CallOptions) => get<Record<string, unknown>>('/v1/openapi.json', call),
  };
}

/** An id as one segment of a path. Nothing, or dots alone, would name another path, and is sent as an id that is unknown. */
const segment = (id: string): string => (/^\.{0,2}$/.test(id) ? `%20${id}` : encodeURIComponent(id));
const requestPath = (requestId: string): string => `/v1/requests/${segment(requestId)}`;
const endpointPath = (id: string): string => `/v1/endpoints/${segment(id)}`;
