import type { EndpointRow } from '../../domain/delivering/endpoint.ts';
import type { Endpoints } from '../../rows/endpoints.ts';
import { notFound } from '../http/problem.ts';

/** The endpoint with the id. Throws a 404 when there is none. */
export async function knownEndpoint(
  endpoints: Pick<Endpoints, 'get'>,
  id: string | undefined,
): Promise<EndpointRow> {
  const found = await endpoints.get(id ?? '');
  if (!found) throw notFound('endpoint');
  return found;
}
