import { signLink } from '../domain/copying/link-token.ts';
import type { DeliveryRow } from '../domain/delivering/delivery.ts';
import type { EventPayload } from '../domain/events/event.ts';
import { iso } from '../domain/iso.ts';

const DAY_MS = 86_400_000;

/** Links to stored videos, made per attempt, so that a late retry still carries one that works. */
export function createVideoLinks(options: {
  secret: () => Promise<string>;
  publicUrl: string;
  linkDays: number;
}) {
  const { secret, publicUrl, linkDays } = options;
  return async (requestId: string, now: number): Promise<{ url: string; urlExpiresAt: string }> => {
    const expiresAt = now + linkDays * DAY_MS;
    const token = signLink({ requestId, issuedAt: now, expiresAt }, await secret());
    return {
      url: `${publicUrl.replace(/\/$/, '')}/v1/links/${token}`,
      urlExpiresAt: iso(expiresAt),
    };
  };
}

export type VideoLinks = ReturnType<typeof createVideoLinks>;

/** The body of a delivery as it is sent now: that of a stored video has a fresh link. */
export async function bodyToSend(
  { body, type, requestId }: DeliveryRow,
  videoLink: VideoLinks,
  now: number,
): Promise<string> {
  if (type !== 'video.stored' || requestId === undefined) return body;
  const payload = JSON.parse(body) as EventPayload;
  const video = { ...(payload.data.video as object), ...(await videoLink(requestId, now)) };
  return JSON.stringify({ ...payload, data: { ...payload.data, video } });
}
