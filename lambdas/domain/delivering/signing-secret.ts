import type { EndpointSecret } from './endpoint.ts';

/** The most old secrets that also sign; each lengthens the header. */
const MAX_OLD_SECRETS = 4;
const PREFIX = 'whsec_';
const MIN_BYTES = 24;
const MAX_BYTES = 64;

/** Random bytes in a secret that the bridge makes. */
export const SECRET_BYTES = 32;

/** A secret as Standard Webhooks writes it. */
export const newSecret = (random: Uint8Array): string => PREFIX + Buffer.from(random).toString('base64');

/** Whether a text is a secret of 24 to 64 bytes in canonical base64, with its prefix. */
export function isSecret(text: string): boolean {
  if (!text.startsWith(PREFIX)) return false;
  const encoded = text.slice(PREFIX.length);
  const bytes = Buffer.from(encoded, 'base64');
  return bytes.length >= MIN_BYTES && bytes.length <= MAX_BYTES && bytes.toString('base64') === encoded;
}

/** The secrets that sign at `now`, the current one first, then the newest of the old ones. */
export function validSecrets(secrets: readonly EndpointSecret[], now: number): EndpointSecret[] {
  return secrets.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now);
}

/** Puts a fresh secret first; the one before also signs, until the overlap ends. */
export function rotated(
  secrets: readonly EndpointSecret[],
  fresh: string,
  now: number,
  overlapMs: number,
): EndpointSecret[] {
  const old = secrets.map(({ secret, expiresAt }) => ({ secret, expiresAt: expiresAt ?? now + overlapMs }));
  const kept = validSecrets(old, now).filter(({ secret }) => secret !== fresh);
  return [{ secret: fresh }, ...kept.slice(0, MAX_OLD_SECRETS)];
}
