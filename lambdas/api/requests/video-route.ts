import * as z from 'zod/mini';
import { iso } from '../../domain/iso.ts';
import type { ApiContext } from '../http/context.ts';
import { flag } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { type Route, route } from '../http/route.ts';
import { knownRequest } from './known-request.ts';
import { type SignGet, storedObject } from './signed-url.ts';
import { createRequests } from './tracked-requests.ts';

/** `GET /v1/requests/{requestId}/video` */
export function videoRoute({ table, now }: ApiContext, signGet: SignGet): Route {
  const requests = createRequests(table, now);
  return route({
    name: 'getVideo',
    method: 'GET',
    path: '/v1/requests/{requestId}/video',
    access: 'read',
    summary:
      'Redirects to the stored video, as a download or with `inline=true` for a player. With "Accept: application/json" it answers the URL instead.',
    query: z.strictObject({ inline: flag('Whether browsers play it instead of saving it.') }),
    answers: { 200: 'SignedUrl', 302: null },
    handle: async ({ headersOnly, params, query, accept }) => {
      const { video } = (await knownRequest(requests, params.requestId)).request;
      const stored = storedObject(video);
      if (!stored) throw new Problem(404, 'The video is not stored: see `video` of the request.');
      const { url, expiresAt } = await signGet({ ...stored, inline: query.inline === 'true', headersOnly });
      const headers = { vary: 'accept' };
      if (!accept.includes('application/json'))
        return { status: 302, headers: { ...headers, location: url } };
      return { status: 200, headers, body: { url, expiresAt: iso(expiresAt) } };
    },
  });
}
