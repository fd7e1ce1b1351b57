import { createHash } from 'node:crypto';
import type { EndpointSecret } from '../../domain/delivering/endpoint.ts';
import { newSecret, rotated, SECRET_BYTES, validSecrets } from '../../domain/delivering/signing-secret.ts';
import { iso } from '../../domain/iso.ts';
import { conflict } from '../http/problem.ts';

const HOUR_MS = 3_600_000;
const DEFAULT_OVERLAP_HOURS = 24;

type Rotation = { readonly overlapHours?: number; readonly secret?: string };

/** The secrets after a rotation: a fresh one, or the given one, first. */
export function rotation(
  secrets: readonly EndpointSecret[],
  { overlapHours = DEFAULT_OVERLAP_HOURS, secret }: Rotation,
  now: number,
  randomBytes: (count: number) => Uint8Array,
): { secrets: EndpointSecret[]; fingerprint: string } {
  const fresh = secret ?? newSecret(randomBytes(SECRET_BYTES));
  return {
    secrets: rotated(secrets, fresh, now, overlapHours * HOUR_MS),
    fingerprint: fingerprint(fresh),
  };
}

/** The secret that a rotation made, by what an idempotency row may hold of it. */
export function rotatedSecret(secrets: readonly EndpointSecret[], print: string | undefined): string {
  const found = secrets.find(({ secret }) => fingerprint(secret) === print);
  if (!found) throw conflict('The secret of this call has been replaced since: read the current one.');
  return found.secret;
}

/** `{secret, previous?}`; `previous` also signs, until it expires. */
export function secretView(secrets: readonly EndpointSecret[], now: number) {
  const [current, previous] = validSecrets(secrets, now);
  return {
    secret: current?.secret,
    previous: previous && { secret: previous.secret, expiresAt: iso(previous.expiresAt) },
  };
}

const fingerprint = (secret: string): string =>
  createHash('sha256').update(secret).digest('base64url').slice(0, 22);
