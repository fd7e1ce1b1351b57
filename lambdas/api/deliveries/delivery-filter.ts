import * as z from 'zod/mini';
import { DELIVERY_STATES, type DeliveryRow } from '../../domain/delivering/delivery.ts';
import { matches } from '../../domain/events/event-filter.ts';
import { eventFilter } from '../http/event-filter.ts';

const STATUS_CODE = 'This is not a status code: give one such as 404, a class such as 5xx, or none.';

/** The filters of an endpoint's deliveries. */
export const deliveryFilter = {
  state: z.optional(z.enum(DELIVERY_STATES).check(z.describe('Only deliveries in this state.'))),
  ...eventFilter,
  statusCode: z.optional(
    z
      .string()
      .check(
        z.regex(/^([1-5]\d\d|[1-5]xx|none)$/, STATUS_CODE),
        z.describe('What the last attempt was answered: `404`, `5xx`, or `none` for no answer.'),
      ),
  ),
};

type DeliveryFilter = {
  readonly [Name in keyof typeof deliveryFilter]?: z.output<(typeof deliveryFilter)[Name]>;
};

/** Whether a delivery is of the wanted state, type and status code. */
export function isWanted(row: DeliveryRow, { state, type, statusCode }: DeliveryFilter): boolean {
  if (state && row.state !== state) return false;
  if (type && !matches([type], row.type)) return false;
  return statusCode === undefined || wasAnswered(row, statusCode);
}

/** Whether a filter looks at more than the time, which bounds the read itself. */
export const leavesOut = ({ state, type, statusCode }: DeliveryFilter): boolean =>
  state !== undefined || type !== undefined || statusCode !== undefined;

function wasAnswered({ attempts }: DeliveryRow, wanted: string): boolean {
  const last = attempts.at(-1);
  if (wanted === 'none') return last?.error !== undefined && last.statusCode === undefined;
  return last?.statusCode !== undefined && String(last.statusCode).startsWith(wanted.replace('xx', ''));
}
