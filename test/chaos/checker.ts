import { isDeepStrictEqual } from 'node:util';
import { Webhook } from 'standardwebhooks';
import type { DeliveryView, EndpointStory, EventView, History, RequestStory } from './history.ts';
import type { Received } from './receivers.ts';

/** A promise that a run broke; `invariant` is its number in ARCHITECTURE.md. */
export type Violation = { readonly invariant: number; readonly what: string };

type Check = (history: History) => Iterable<string>;

/**
 * Looks for broken promises in what users can see of a run. It knows what the bridge promises, and nothing of how
 * it keeps that: it imports none of the bridge's code, so that no mistake is in both.
 */
export function check(history: History): Violation[] {
  return CHECKS.flatMap(([invariant, find]) => [...find(history)].map((what) => ({ invariant, what })));
}

/** The sixth invariant is that the others hold whatever fails; the ninth is the local runtime's, and so is its test. */
const CHECKS: readonly (readonly [number, Check])[] = [
  [1, numbersHaveNoGaps],
  [1, statusesFollowEachOther],
  [1, nothingUnseenIsHidden],
  [1, registrationsAreKept],
  [2, theEndIsFinal],
  [2, commandsAreObeyed],
  [3, everyEventIsDelivered],
  [3, deliveriesEnd],
  [3, webhooksAreSound],
  [3, webhooksTellOfEvents],
  [3, nothingIsSentAgainWithoutCause],
  [3, orderIsKept],
  [4, videosAreStored],
  [4, copiesEnd],
  [4, nothingIsLeftBehind],
  [5, allComesToItsEnd],
  [5, workIsTakenUp],
  [7, secretsAreKept],
  [8, noEndpointDelaysOthers],
];

/** Attempts of the whole schedule (docs/receiving.md). */
const WHOLE_SCHEDULE = 10;
/** What upstream documents: the statuses of a job that succeeds, in their order, and all ends of a job. */
const STATUS_ORDER = [
  'requested',
  'accepted',
  'initializing',
  'preprocessing',
  'processing',
  'postprocessing',
  'complete',
];
const ENDS = ['complete', 'failed', 'canceled', 'lost'];

const seen = ({ requests }: History): RequestStory[] => requests.filter(({ view }) => view !== undefined);
const isNumbered = ({ type }: EventView): boolean => type !== 'progress.updated';
const timeOf = ({ timestamp }: EventView): number => Date.parse(timestamp);
const commandsOf = ({ commands }: RequestStory, kind: string) =>
  commands.filter((command) => command.kind === kind);

/** Events that name a status of upstream; those of the bridge's own, such as `video.stored`, do not. */
function statusEvents({ events }: RequestStory): EventView[] {
  const own = ['video.stored', 'video.store_failed', 'video.unavailable', 'progress.updated'];
  return events.filter(({ type }) => !own.includes(type));
}

function* numbersHaveNoGaps(history: History) {
  for (const { requestId, events, view } of seen(history)) {
    const numbers = events.filter(isNumbered).map(({ data }) => data.sequence);
    const wanted = numbers.map((_, i) => i + 1);
    if (String(numbers) !== String(wanted)) yield `${requestId} has the events ${numbers}`;
    if (view?.sequence !== numbers.length) {
      yield `${requestId} counts ${view?.sequence} events and has ${numbers.length}`;
    }
    let last = 0;
    for (const event of events) {
      if (isNumbered(event)) last = event.data.sequence ?? 0;
      else if (event.data.sequence !== last)
        yield `${requestId}: ${event.type} does not carry the last number`;
    }
    const times = events.map(timeOf);
    if (times.some((time, i) => i > 0 && time < (times[i - 1] ?? 0)))
      yield `${requestId} has events that go back in time`;
    if (new Set(events.map(({ id }) => id)).size < events.length)
      yield `${requestId} has two events of one id`;
  }
}

function* statusesFollowEachOther(history: History) {
  for (const request of seen(history)) {
    const { requestId, script, isOrderly } = request;
    const runs = 1 + commandsOf(request, 'restart').length;
    const events = statusEvents(request);
    for (const [i, { type, data }] of events.entries()) {
      const previous = i === 0 ? null : events[i - 1]?.data.status;
      if (data.previousStatus !== previous) {
        yield `${requestId}: ${type} follows ${data.previousStatus}, not ${previous}`;
      }
      if (!isOrderly || type === 'video.lost') continue;
      if (type !== `video.${data.status}`) yield `${requestId}: ${type} says ${data.status}`;
      const entered = script.find(([status]) => status === data.status)?.[1];
      if (entered === undefined) yield `${requestId}: upstream never said ${data.status}`;
      else if (timeOf(events[i] as EventView) < entered - history.clocksApartMs) {
        yield `${requestId}: ${type} came before upstream said so`;
      }
    }
    if (!isOrderly) continue;
    for (const [status, all] of Map.groupBy(events, ({ data }) => data.status)) {
      if (all.length > runs) yield `${requestId} has ${all.length} events of ${status} in ${runs} run(s)`;
    }
    const places = events.map(({ data }) => script.findIndex(([status]) => status === data.status));
    const steps = places.filter((place, i) => i > 0 && place <= (places[i - 1] ?? -1)).length;
    if (steps > runs - 1) yield `${requestId} went back: ${events.map(({ data }) => data.status)}`;
  }
}

/** What upstream went through between two events is in `skipped`, where its order is documented. */
function* nothingUnseenIsHidden(history: History) {
  const order = STATUS_ORDER;
  for (const request of seen(history)) {
    if (!request.isOrderly) continue;
    const events = statusEvents(request);
    for (const [i, { type, data }] of events.entries()) {
      const { status = '', skipped = [] } = data;
      const before = i === 0 ? undefined : events[i - 1]?.data.status;
      if (before === undefined || !order.includes(before) || !order.includes(status)) continue;
      const names = request.script.map(([name]) => name);
      const unseen = names.slice(names.indexOf(before) + 1, names.indexOf(status));
      const hidden = unseen.filter((name) => order.includes(name) && !skipped.includes(name));
      if (hidden.length > 0) yield `${request.requestId}: ${type} hides ${hidden}`;
    }
  }
}

/** Registering again resets nothing: what a user said once is still there. */
function* registrationsAreKept(history: History) {
  for (const { requestId, view, callbacks, metadata } of seen(history)) {
    for (const { url, events } of callbacks) {
      const shown = view?.callbacks.find((each) => each.url === url);
      if (!shown) yield `${requestId} has lost its callback ${url}`;
      else if (!isDeepStrictEqual([...shown.events].sort(), [...events].sort()))
        yield `${requestId}: the callback ${url} gets ${shown.events}, not ${events}`;
    }
    if (metadata && !isDeepStrictEqual({ ...view?.metadata }, { ...metadata }))
      yield `${requestId} has the metadata ${JSON.stringify(view?.metadata)}`;
  }
}

function* theEndIsFinal(history: History) {
  for (const request of seen(history)) {
    const { requestId, view, script, isOrderly } = request;
    const events = statusEvents(request);
    const restarts = commandsOf(request, 'restart').length;
    const ends = events.filter(({ data }) => ENDS.includes(data.status ?? ''));
    if (ends.length > 1 + restarts)
      yield `${requestId} ended ${ends.length} times with ${restarts} restart(s)`;
    const followed = events.slice(0, -1).filter(({ data }) => ENDS.includes(data.status ?? ''));
    if (followed.length > restarts) yield `${requestId} went on after its end without a restart`;
    const last = events.at(-1)?.data.status ?? 'registered';
    // An unknown status is told once; a restarted request is as if it had just been registered.
    const mayDiffer = !isOrderly || (restarts > 0 && view?.status === 'registered');
    if (view?.status !== last && !mayDiffer)
      yield `${requestId} is ${view?.status}, its last event says ${last}`;
    const end = script.at(-1)?.[0];
    if (isOrderly && view?.state === 'done' && view.status !== end && history.quietAt !== undefined) {
      yield `${requestId} is done as ${view.status}, upstream said ${end}`;
    }
  }
}

function* commandsAreObeyed(history: History) {
  for (const request of history.requests) {
    const { requestId, view, commands, events } = request;
    const last = commands.at(-1);
    if (commandsOf(request, 'purge').length > 0) {
      if (view) yield `${requestId} was purged and is still shown`;
      if (history.rows.some(({ pk, sk }) => `${pk} ${sk}`.includes(requestId)))
        yield `${requestId} was purged and has rows`;
      const left = history.endpoints.filter(({ deliveries }) =>
        deliveries.some((each) => each.requestId === requestId),
      );
      if (left.length > 0) yield `${requestId} was purged and has deliveries at ${left.map(({ id }) => id)}`;
      continue;
    }
    if (!view) yield `${requestId} was registered and is not known`;
    if (last?.kind !== 'stop') continue;
    // The command may have overtaken a restart that was answered just before.
    const before = commands.at(-2);
    if (before?.kind === 'restart' && last.at - before.at < 60_000) continue;
    if (view?.state !== 'stopped') yield `${requestId} was stopped and is ${view?.state}`;
    const late = events.filter((event) => timeOf(event) > last.at + history.clocksApartMs);
    if (late.length > 0) yield `${requestId} was stopped and has new events: ${late.map(({ type }) => type)}`;
  }
}

/** Who is to get the events of a request: endpoints of the account, and its own callbacks. */
function audience(history: History, { view }: RequestStory): EndpointStory[] {
  const own = new Set(view?.callbacks.map(({ endpointId }) => endpointId));
  return history.endpoints.filter(({ id, kind }) => kind !== 'callback' || own.has(id));
}

/** An entry is a type, or a prefix with `.*`. */
const matches = (filter: readonly string[], type: string): boolean =>
  filter.some((entry) => entry === type || (entry.endsWith('.*') && type.startsWith(entry.slice(0, -1))));

function* everyEventIsDelivered(history: History) {
  for (const request of seen(history)) {
    for (const endpoint of audience(history, request)) {
      const { id, deliveries, filter, createdAt, deletedAt } = endpoint;
      const addressed = new Map(deliveries.map((delivery) => [delivery.eventId, delivery]));
      for (const event of request.events) {
        const delivery = addressed.get(event.id);
        const wanted = matches(filter, event.type);
        if (delivery && !wanted) yield `${id} was sent ${event.type}, which its filter leaves out`;
        // What happened about when an endpoint was made or deleted may be sent to it or not.
        const existed = endpoint.kind === 'callback' || timeOf(event) > createdAt + history.clocksApartMs;
        if (!delivery && wanted && existed && deletedAt === undefined) {
          yield `${id} has no delivery of ${event.type} ${event.data.sequence} of ${request.requestId}`;
        }
      }
    }
  }
}

function* deliveriesEnd(history: History) {
  const purged = new Set(history.requests.filter(({ view }) => !view).map(({ requestId }) => requestId));
  const known = new Set(history.requests.flatMap(({ events }) => events.map(({ id }) => id)));
  for (const endpoint of history.endpoints) {
    const { id, deliveries, deletedAt, url } = endpoint;
    if (new Set(deliveries.map(({ eventId }) => eventId)).size < deliveries.length) {
      yield `${id} has two deliveries of one event`;
    }
    for (const delivery of deliveries) {
      const { state, type, requestId, eventId, attemptCount } = delivery;
      const name = `the delivery of ${type} ${eventId} to ${url}`;
      if (requestId !== undefined && !purged.has(requestId) && !known.has(eventId))
        yield `${name} has no event`;
      if (!['delivered', 'failed', 'canceled'].includes(state)) yield `${name} is ${state} for good`;
      if (state === 'canceled' && deletedAt === undefined) yield `${name} is canceled`;
      if (state === 'failed' && attemptCount < WHOLE_SCHEDULE)
        yield `${name} failed after ${attemptCount} attempts`;
      if (state === 'delivered' && successes(history, endpoint, delivery).length === 0) {
        yield `${name} is called delivered, and was not`;
      }
    }
  }
}

function successes({ received }: History, { url }: EndpointStory, { eventId }: DeliveryView): Received[] {
  return received.filter((webhook) => webhook.url === url && idOf(webhook) === eventId && isSuccess(webhook));
}

const idOf = ({ headers }: Received): string => headers['webhook-id'] ?? '';
const isSuccess = ({ answer }: Received): boolean =>
  typeof answer === 'number' && answer >= 200 && answer < 300;

function* webhooksAreSound(history: History) {
  const byUrl = Map.groupBy(history.endpoints, ({ url }) => url);
  const first = new Map<string, unknown>();
  for (const webhook of history.received) {
    const endpoints = byUrl.get(webhook.url);
    const body = JSON.parse(webhook.body) as EventView;
    const name = `the webhook ${idOf(webhook)} (${body.type}) to ${webhook.url}`;
    // A callback of a request that is purged is not shown any more.
    const isGone = !endpoints && webhook.url.includes('callback');
    if (!endpoints && !isGone) yield `${name} went to an address of no endpoint`;
    if (body.id !== idOf(webhook)) yield `${name} has another id in its body`;
    const secrets = (endpoints ?? []).flatMap(({ secrets }) => secrets);
    if (endpoints && !secrets.some((secret) => isSigned(webhook, secret))) yield `${name} is not signed`;
    const key = `${webhook.url} ${body.id}`;
    const content = { ...body, data: withoutLink(body.data) };
    if (!isDeepStrictEqual(first.get(key) ?? content, content))
      yield `${name} differs from its first attempt`;
    first.set(key, content);
  }
}

/** A webhook says what the API says of its event, to nobody but those who have a delivery of it. */
function* webhooksTellOfEvents(history: History) {
  const events = new Map(seen(history).flatMap((each) => each.events.map((event) => [event.id, event])));
  const known = new Set(seen(history).map(({ requestId }) => requestId));
  const byUrl = Map.groupBy(history.endpoints, ({ url }) => url);
  for (const webhook of history.received) {
    const { type, timestamp, data } = JSON.parse(webhook.body) as EventView;
    // What is purged is not shown any more, nor what tells of endpoints and not of requests.
    if (!known.has(String(data.requestId))) continue;
    const id = idOf(webhook);
    const name = `the webhook ${id} (${type}) to ${webhook.url}`;
    const event = events.get(id);
    if (!event) yield `${name} tells of no event`;
    else if (
      !isDeepStrictEqual(
        { type, timestamp, data: withoutLink(data) },
        { type: event.type, timestamp: event.timestamp, data: withoutLink(event.data) },
      )
    ) {
      yield `${name} says something else than its event`;
    }
    const endpoints = (byUrl.get(webhook.url) ?? []).filter(({ deletedAt }) => deletedAt === undefined);
    for (const endpoint of endpoints) {
      if (!endpoint.deliveries.some(({ eventId }) => eventId === id)) yield `${name} belongs to no delivery`;
    }
  }
}

/** What a receiver answered well comes again only when an answer or a worker was lost, or a person asked for it. */
function* nothingIsSentAgainWithoutCause({ received, sendsOnce }: History) {
  if (!sendsOnce) return;
  const well = Map.groupBy(received.filter(isSuccess), (webhook) => `${idOf(webhook)} to ${webhook.url}`);
  for (const [name, all] of well) if (all.length > 1) yield `${name} was sent ${all.length} times`;
}

/** Each attempt has a new link. */
function withoutLink({ video, ...data }: EventView['data']) {
  if (typeof video !== 'object' || video === null) return data;
  return { ...data, video: { ...video, url: undefined, urlExpiresAt: undefined } };
}

function isSigned({ headers, body }: Received, secret: string): boolean {
  const id = headers['webhook-id'] ?? '';
  const time = new Date(Number(headers['webhook-timestamp']) * 1_000);
  return (headers['webhook-signature'] ?? '').split(' ').includes(new Webhook(secret).sign(id, time, body));
}

/** An ordered endpoint answers a request's events well in their order, but for those that failed for good before. */
function* orderIsKept(history: History) {
  for (const endpoint of history.endpoints.filter(({ ordered }) => ordered)) {
    const done = endpoint.deliveries.filter(({ state }) => state === 'delivered');
    for (const [requestId, deliveries] of Map.groupBy(done, (delivery) => delivery.requestId)) {
      const request = history.requests.find((each) => each.requestId === requestId);
      if (!request) continue;
      const firsts = request.events
        .map(({ id }) => deliveries.find(({ eventId }) => eventId === id))
        .filter((delivery) => delivery !== undefined)
        .filter(({ attemptCount }) => attemptCount < WHOLE_SCHEDULE)
        .map((delivery) => successes(history, endpoint, delivery)[0]?.at ?? 0);
      if (firsts.some((at, i) => i > 0 && at < (firsts[i - 1] ?? 0))) {
        yield `${endpoint.url} got the events of ${requestId} out of order`;
      }
    }
  }
}

type StoredVideo = { key?: string; size?: number; checksum?: { value: string } };

/** A copy that was asked for ends, as events say: in the bucket, if the source served it. */
function* copiesEnd(history: History) {
  const ends = ['video.stored', 'video.store_failed', 'video.unavailable'];
  for (const request of seen(history)) {
    const { requestId, view, copy, events, isServed } = request;
    const restarts = commandsOf(request, 'restart').length;
    const told = events.filter(({ type }) => ends.includes(type));
    if (told.length > 1 + restarts)
      yield `${requestId} has ${told.map(({ type }) => type)} and ${restarts} restart(s)`;
    if (!copy || view?.state !== 'done' || view.status !== 'complete') continue;
    if (told.length === 0) yield `${requestId} is complete, and no event tells of its copy`;
    else if (isServed && view.video?.state !== 'stored')
      yield `${requestId} is not stored, though its source served it`;
  }
}

function* videosAreStored(history: History) {
  const objects = new Map(history.bucket.objects.map((object) => [object.key, object]));
  for (const { requestId, view, events, video, copy } of seen(history)) {
    const stored = events.filter(({ type }) => type === 'video.stored');
    for (const { data } of stored) {
      const { key = '', size, checksum } = (data.video ?? {}) as StoredVideo;
      const object = objects.get(key);
      if (!object) yield `${requestId}: video.stored names ${key}, where nothing is`;
      else if (object.sha256 !== video.sha256) yield `${requestId}: ${key} has other bytes than upstream`;
      else if (size !== video.size) yield `${requestId}: video.stored says ${size} bytes, not ${video.size}`;
      else if (object.checksum === undefined || object.checksum !== checksum?.value)
        yield `${requestId}: ${key} has the checksum ${object.checksum}, not ${checksum?.value}`;
    }
    if (stored.length > 0 && !copy) yield `${requestId} was copied without being asked for`;
    if (view?.video?.state === 'stored' && stored.length === 0)
      yield `${requestId} is stored without an event`;
    const unfinished = view?.video?.state === 'pending' || view?.video?.state === 'copying';
    if (view?.state === 'done' && unfinished)
      yield `${requestId} is done and its copy is ${view.video?.state}`;
  }
  for (const { webhook, there } of history.storedWhenReceived) {
    if (!there) yield `${webhook} told of a video that was not there yet`;
  }
}

function* nothingIsLeftBehind({ bucket, requests }: History) {
  for (const key of bucket.uploads) yield `an upload of ${key} was never ended`;
  for (const { key } of bucket.objects) {
    const owner = requests.find(({ requestId }) => key.includes(requestId));
    if (!owner) yield `${key} belongs to no request`;
    else if (
      owner.view &&
      !owner.events.some(({ type, data }) => type === 'video.stored' && isAt(data, key))
    ) {
      yield `${key} is there, and no event told of it`;
    }
  }
}

const isAt = ({ video }: EventView['data'], key: string): boolean =>
  (video as { key?: string } | undefined)?.key === key;

function* allComesToItsEnd(history: History) {
  if (history.quietAt === undefined) yield 'the work never comes to its end';
  for (const { pk, sk, lane, owner, parked } of history.unfinishedRows) {
    yield `${pk} ${sk} is left in lane ${lane}${owner ? ', claimed' : ''} ${parked ? JSON.stringify(parked) : ''}`;
  }
  for (const { requestId, view } of seen(history)) {
    if (view?.state !== 'done' && view?.state !== 'stopped') yield `${requestId} is ${view?.state} for good`;
  }
}

/** While all is well no row waits for long after its time. */
function* workIsTakenUp({ lateRows }: History) {
  for (const { pk, sk, lane, lateMs } of lateRows)
    yield `${pk} ${sk} waits in lane ${lane} for ${Math.round(lateMs / 1_000)} s after its time`;
}

function* secretsAreKept({ said, secrets, received, stored }: History) {
  const everything = [
    ...said,
    ...received.map(({ url, headers, body }) => ({
      where: `a webhook to ${url}`,
      text: `${JSON.stringify(headers)}\n${body}`,
    })),
  ];
  for (const { name, value, rows } of secrets) {
    const found =
      everything.find(({ text }) => text.includes(value)) ??
      stored.find(
        ({ where, text }) => !(rows !== undefined && new RegExp(rows).test(where)) && text.includes(value),
      );
    if (found) yield `${name} is in ${found.where}: ${found.text.slice(0, 300)}`;
  }
}

function* noEndpointDelaysOthers(history: History) {
  for (const endpoint of history.endpoints.filter(({ steady }) => steady)) {
    for (const request of seen(history)) {
      for (const event of request.events) {
        const delivery = endpoint.deliveries.find(({ eventId }) => eventId === event.id);
        const first = delivery && successes(history, endpoint, delivery)[0];
        if (!first) continue;
        const ms = first.at - timeOf(event);
        if (ms > history.promptMs) {
          yield `${endpoint.url} got ${event.type} of ${request.requestId} after ${Math.round(ms / 1_000)} s`;
        }
      }
    }
  }
}
