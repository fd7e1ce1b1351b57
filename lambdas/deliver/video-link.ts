import type { SecretReader } from '../adapters/secrets.ts';
import { signLink } from '../domain/link-token.ts';

const DAY_MS = 86_400_000;

/** Links to stored videos, made per attempt, so that a late retry still carries one that works. */
export function createVideoLinks(options: { secret: SecretReader; publicUrl: string; linkDays: number }) {
  const { secret, publicUrl, linkDays } = options;
  return async (requestId: string, now: number): Promise<{ url: string; urlExpiresAt: string }> => {
    const expiresAt = now + linkDays * DAY_MS;
    const token = signLink({ requestId, expiresAt }, await secret());
    return {
      url: `${publicUrl.replace(/\/$/, '')}/v1/links/${token}`,
      urlExpiresAt: new Date(expiresAt).toISOString(),
    };
  };
}
