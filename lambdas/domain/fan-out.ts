import type { DeliveryRow } from './delivery.ts';
import type { EndpointRow } from './endpoint.ts';
import { type EventRow, payload } from './event.ts';
import { matches } from './event-filter.ts';
import { deliveryId } from './ids.ts';
import type { OutboxRow } from './outbox.ts';
import type { Callback } from './request.ts';
import { deliveryKey } from './rows.ts';

/** One event for one endpoint, before it is a row. */
export type FanOut = { readonly event: EventRow; readonly endpoint: EndpointRow };

/** Where an outbox stands, and where it stands after a batch. */
export type Cursors = Pick<OutboxRow, 'accountCursor' | 'callbackCursors'>;

export type Audience = {
  /** The account-wide endpoints, sorted by id. */
  readonly account: readonly EndpointRow[];
  /** The request's own callbacks with their endpoints; one whose endpoint was deleted has none. */
  readonly callbacks: readonly { readonly callback: Callback; readonly endpoint: EndpointRow | undefined }[];
};

/** The lowest position that some audience has had: events after it are to be looked at. */
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
    const heard = toCallbacks.flatMap(({ callback, endpoint }) =>
      endpoint && !event.onlyTo && matches(callback.events, event.type) ? [{ event, endpoint }] : [],
    );
    if (deliveries.length + toAccount.length + heard.length > most) {
      if (deliveries.length > 0) break;
      const part = toAccount.slice(0, most);
      const after = part.at(-1)?.endpoint.id;
      return {
        deliveries: part,
        cursors: { accountCursor: { position: event.position - 1, after }, callbackCursors },
      };
    }
    deliveries.push(...toAccount, ...heard);
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
    .filter(({ id, events }) =>
      event.onlyTo ? id === event.onlyTo : !isAbout(event, id) && matches(events, event.type),
    )
    .filter((endpoint) => after === undefined || endpoint.id > after)
    .map((endpoint) => ({ event, endpoint }));
}

/** What befalls an endpoint is told to the others. */
const isAbout = (event: EventRow, endpointId: string): boolean => event.data.endpointId === endpointId;

/** The row of a delivery, without its lane. */
export function newDelivery(
  { event, endpoint }: FanOut,
  metadata: Record<string, string> | undefined,
  now: number,
) {
  const requestId = event.data.requestId;
  return {
    ...deliveryKey(endpoint.id, event.id),
    id: deliveryId(endpoint.id, event.id),
    eventId: event.id,
    endpointId: endpoint.id,
    ...(typeof requestId === 'string' ? { requestId } : {}),
    type: event.type,
    payload: payload(event, metadata),
    state: 'pending',
    createdAt: now,
    attempts: [],
    attemptCount: 0,
    failures: 0,
  } satisfies DeliveryRow;
}
