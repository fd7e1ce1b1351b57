import { verifyLink } from '../../domain/copying/link-token.ts';
import type { ApiContext } from '../http/context.ts';
import { Problem } from '../http/problem.ts';
import { type Route, route } from '../http/route.ts';
import { type SignGet, storedObject } from './signed-url.ts';
import { createRequests } from './tracked-requests.ts';

/**
 * Links to stored videos, as webhooks carry them: valid for days, to URLs that are valid for minutes. The bridge
 * makes them for the receivers of its events, so they do not end with an API key. They end with their time, with a
 * purge, when the request is registered again, and when a person deletes
 * the row of the link secret.
 */
export function linkRoutes({ table, linkSecret, now }: ApiContext, signGet: SignGet): Route[] {
  const requests = createRequests(table, now);
  return [
    route({
      name: 'followLink',
      method: 'GET',
      path: '/v1/links/{token}',
      access: 'public',
      summary: 'Redirects from the link in a webhook to the stored video.',
      answers: { 302: null },
      handle: async ({ headersOnly, params }) => {
        const link = verifyLink(params.token ?? '', await linkSecret(), now());
        const request = link && (await requests.get(link.requestId))?.request;
        const isOfEarlierTracking = (link?.issuedAt ?? Infinity) < (request?.registeredAt ?? 0);
        const stored = isOfEarlierTracking ? undefined : storedObject(request?.video);
        if (!stored) throw new Problem(404, 'This link is unknown or has expired.');
        const { url } = await signGet({ ...stored, headersOnly });
        return { status: 302, headers: { location: url, 'referrer-policy': 'no-referrer' } };
      },
    }),
  ];
}
