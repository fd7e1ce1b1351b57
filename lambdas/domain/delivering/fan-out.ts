import { type EventRow, payload } from '../events/event.ts';
import { matches } from '../events/event-filter.ts';
import type { OutboxRow } from '../events/outbox.ts';
import { deliveryId } from '../ids.ts';
import type { Callback } from '../requests/request.ts';
import { deliveryKey } from '../rows.ts';
import type { DeliveryRow } from './delivery.ts';
import type { Target } from './endpoint.ts';
import { startOf } from './gate/admission.ts';

/** One event for one endpoint, before it is a row. */
export type FanOut = { readonly event: EventRow; readonly target: Target };

/** Where an outbox stands, and where it stands after a batch. */
export type Cursors = Pick<OutboxRow, 'accountCursor' | 'callbackCursors'>;

export type Audience = {
  /** The account-wide endpoints, sorted by id. */
  readonly account: readonly Target[];
  /** The request's own callbacks with their endpoints; one whose endpoint was deleted has none. */
  readonly callbacks: readonly { readonly callback: Callback; readonly target: Target | undefined }[];
};

/** The lowest position that any audience has reached: the events after it are the next to fan out. */
export const lowestCursor = (cursors: Cursors): number =>
  Math.min(cursors.accountCursor.position, ...Object.values(cursors.callbackCursors));

/**
 * The next batch of deliveries that fits one transaction, in the order of the events, and the
 * cursors after it.
 *
 * @param events those after {@link lowestCursor}, in order
 * @param most deliveries in a batch; more than a request can have callbacks
 */
export function nextBatch(
  cursors: Cursors,
  events: readonly EventRow[],
  audience: Audience,
  most: number,
): { deliveries: FanOut[]; cursors: Cursors } {
  const deliveries: FanOut[] = [];
  let { accountCursor } = cursors;
  let { callbackCursors } = cursors;
  for (const event of events) {
    const toAccount =
      accountCursor.position < event.position ? forAccount(event, audience, accountCursor.after) : [];
    const toCallbacks = audience.callbacks.filter(
      ({ callback }) => (callbackCursors[callback.endpointId] ?? 0) < event.position,
    );
    const matching = toCallbacks.flatMap(({ callback, target }) =>
      target && !event.onlyTo && matches(callback.events, event.type) ? [{ event, target }] : [],
    );
    if (deliveries.length + toAccount.length + matching.length > most) {
      if (deliveries.length > 0) break;
      const part = toAccount.slice(0, most);
      const after = part.at(-1)?.target.endpoint.id;
      return {
        deliveries: part,
        cursors: { accountCursor: { position: event.position - 1, after }, callbackCursors },
      };
    }
    deliveries.push(...toAccount, ...matching);
    if (accountCursor.position < event.position) accountCursor = { position: event.position };
    callbackCursors = {
      ...callbackCursors,
      ...Object.fromEntries(toCallbacks.map(({ callback }) => [callback.endpointId, event.position])),
    };
  }
  return { deliveries, cursors: { accountCursor, callbackCursors } };
}

function forAccount(event: EventRow, audience: Audience, after: string | undefined): FanOut[] {
  return audience.account
    .filter(({ endpoint: { id, events } }) =>
      event.onlyTo ? id === event.onlyTo : !isAbout(event, id) && matches(events, event.type),
    )
    .filter(({ endpoint }) => after === undefined || endpoint.id > after)
    .map((target) => ({ event, target }));
}

/** Events about an endpoint go to all other endpoints. */
const isAbout = (event: EventRow, endpointId: string): boolean => event.data.endpointId === endpointId;

/**
 * The rows of a batch's deliveries, and the chains after it: what goes to an ordered endpoint names the
 * event before it of the same source, whose delivery must be final first.
 */
export function newDeliveries(
  batch: readonly FanOut[],
  chains: Readonly<Record<string, string>>,
  metadata: Record<string, string> | undefined,
  now: number,
): { rows: DeliveryRow[]; chains: Record<string, string> } {
  const newest = { ...chains };
  const bodies = new Map<EventRow, string>();
  const rows = batch.map((fanOut) => {
    const { id, ordered } = fanOut.target.endpoint;
    const { event } = fanOut;
    const body = bodies.get(event) ?? JSON.stringify(payload(event, metadata));
    bodies.set(event, body);
    const row = newDelivery(fanOut, body, now);
    if (!ordered) return row;
    const chained = { ...row, predecessor: newest[id] };
    newest[id] = row.eventId;
    return chained;
  });
  return { rows, chains: newest };
}

function newDelivery({ event, target }: FanOut, body: string, now: number): DeliveryRow {
  const { requestId } = event.data;
  const isTest = event.onlyTo !== undefined;
  const start = startOf(target, isTest);
  return {
    ...deliveryKey(target.endpoint.id, event.id),
    id: deliveryId(target.endpoint.id, event.id),
    eventId: event.id,
    endpointId: target.endpoint.id,
    endpointCreatedAt: target.endpoint.createdAt,
    ...(typeof requestId === 'string' ? { requestId } : {}),
    type: event.type,
    body,
    state: 'pending',
    createdAt: now,
    attempts: [],
    attemptCount: 0,
    failures: 0,
    ...('lane' in start ? { ...start, dueAt: now } : start),
    ...('lane' in start && isTest ? { bypassesBreaker: true } : {}),
  };
}
