import { notFound } from '../http/problem.ts';
import { isUuid } from './registration-schema.ts';
import type { Requests, TrackedRequest } from './tracked-requests.ts';

/** The request with the id. Throws a 404 when it is not tracked. */
export async function knownRequest(
  requests: Pick<Requests, 'get'>,
  id: string | undefined,
): Promise<TrackedRequest> {
  const found = await requests.get(uuid(id));
  if (!found) throw notFound('request');
  return found;
}

/** A request's id as rows hold it; anything but a UUID cannot be one. */
export function uuid(id: string | undefined): string {
  if (id === undefined || !isUuid(id)) throw notFound('request (ids are UUIDs)');
  return id.toLowerCase();
}
