import type { Delivery, Endpoint } from '../../client/client.ts';
import type { Tone } from '../parts/tone.ts';
import { KINDS } from './endpoint-kinds.ts';

/** What a person calls an endpoint. */
export const nameOf = ({ id, description, url, busName, kind }: Endpoint): string =>
  description || url || (busName && `event bus ${busName}`) || `${kind} endpoint ${id}`;

/** Whether its own secret signs what it is sent: events on a bus are not signed, and callbacks share one secret. */
export const isSigned = ({ kind }: Endpoint): boolean => KINDS[kind].fields.includes('secret');

export function healthTone({ health, enabled }: Endpoint): Tone {
  if (!enabled) return 'idle';
  return health.state === 'healthy' ? 'good' : 'bad';
}

export const healthLabel = ({ health, enabled }: Endpoint): string => (enabled ? health.state : 'disabled');

/** Why a delivery has not arrived, in words. */
export function whyNot({ state, attempts }: Delivery): string | undefined {
  if (state === 'delivered') return undefined;
  if (state === 'canceled') return 'Canceled: its endpoint was deleted.';
  const last = attempts.at(-1);
  if (!last)
    return state === 'held'
      ? 'Held: the endpoint is disabled, or was failing when the event came.'
      : undefined;
  return last.reason ?? (last.error ? `No answer (${last.error})` : `It answered ${last.statusCode}`);
}
