import type { EndpointRow, EndpointSecret } from '../domain/delivering/endpoint.ts';
import { traitsOf } from '../domain/delivering/endpoint-kinds/endpoint-kinds.ts';
import type { DeliverDependencies } from './deliver-dependencies.ts';

/** The secrets that sign what an endpoint is sent; old ones may have expired. */
export async function signingSecrets(
  endpoint: EndpointRow,
  { callbackSecrets }: Pick<DeliverDependencies, 'callbackSecrets'>,
): Promise<readonly EndpointSecret[]> {
  return traitsOf(endpoint).secrets === 'own' ? (endpoint.secrets ?? []) : callbackSecrets();
}
