import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** How long a value is used before it is read again, so that a changed key takes hold within a minute. */
const CACHE_MS = 60_000;

/** Reads one secret's text; throws when it has none. */
export type SecretReader = (options?: {
  /** Reads past the cache, when the value turned out to be wrong. */
  readonly fresh?: boolean;
}) => Promise<string>;

/** A secret of Secrets Manager, cached for 60 s. */
export function createSecret(
  client: SecretsManagerClient,
  secretId: string,
  now: () => number,
): SecretReader {
  let cached: { value: string; until: number } | undefined;

  return async ({ fresh = false } = {}) => {
    if (!fresh && cached && now() < cached.until) return cached.value;
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretId }));
    if (!SecretString) throw new Error(`Secret ${secretId} has no text: put a value into it`);
    cached = { value: SecretString, until: now() + CACHE_MS };
    return SecretString;
  };
}
