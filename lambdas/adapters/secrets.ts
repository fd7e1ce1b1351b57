import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { log } from './lambda/log.ts';

/** How long a value is used before it is read again, so that a changed key is used within a minute. */
const CACHE_MS = 60_000;
/** How long after its last read a value is used while it cannot be read again. */
const OUTAGE_MS = 3_600_000;

/** Reads one secret's text; throws when it has none, or cannot be read and was not read within the last hour. */
export type SecretReader = (options?: {
  /** Reads past the cache, when the value turned out to be wrong. */
  readonly fresh?: boolean;
}) => Promise<string>;

/**
 * A secret of Secrets Manager, cached for 60 s. While Secrets Manager fails, the last value is used for an hour,
 * and read again every 60 s.
 */
export function createSecret(
  client: SecretsManagerClient,
  secretId: string,
  now: () => number,
): SecretReader {
  let last: { value: string; readAt: number; nextReadAt: number } | undefined;

  return async ({ fresh = false } = {}) => {
    if (!fresh && last && now() < last.nextReadAt) return last.value;
    try {
      const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretId }));
      if (!SecretString) throw new SecretWithoutText(secretId);
      last = { value: SecretString, readAt: now(), nextReadAt: now() + CACHE_MS };
    } catch (error) {
      if (error instanceof SecretWithoutText || !last || now() - last.readAt >= OUTAGE_MS) throw error;
      log.warn('secret not read again; its last value is used', { secretId, error: error as Error });
      last = { ...last, nextReadAt: now() + CACHE_MS };
    }
    return last.value;
  };
}

class SecretWithoutText extends Error {
  override readonly name = 'SecretWithoutText';

  constructor(secretId: string) {
    super(`Secret ${secretId} has no text: put a value into it`);
  }
}
