import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a link to a stored video says. */
export type Link = {
  readonly requestId: string;
  /** ms since epoch; kept in whole seconds, rounded up. */
  readonly expiresAt: number;
};

const VERSION = 1;
const BODY_BYTES = 1 + 16 + 4;
const MAC_BYTES = 16;

/**
 * The token of `/v1/links/{token}`: base64url of version, request, expiry and their HMAC-SHA256, cut
 * to 16 bytes. It grants what it names without a row of its own, so links cost nothing until used.
 *
 * @param requestId a UUID
 */
export function signLink({ requestId, expiresAt }: Link, secret: string): string {
  const body = Buffer.alloc(BODY_BYTES);
  body.writeUInt8(VERSION, 0);
  body.write(requestId.replaceAll('-', ''), 1, 'hex');
  body.writeUInt32BE(Math.ceil(expiresAt / 1000), 17);
  return Buffer.concat([body, mac(body, secret)]).toString('base64url');
}

/** The reverse of {@link signLink}; undefined for a token that is forged, damaged or expired. */
export function verifyLink(token: string, secret: string, now: number): Link | undefined {
  const bytes = Buffer.from(token, 'base64url');
  // A decoder takes several spellings of the same bytes; a link has one.
  if (bytes.length !== BODY_BYTES + MAC_BYTES || bytes.toString('base64url') !== token) return undefined;
  const body = bytes.subarray(0, BODY_BYTES);
  if (!timingSafeEqual(bytes.subarray(BODY_BYTES), mac(body, secret))) return undefined;
  if (body.readUInt8(0) !== VERSION) return undefined;
  const expiresAt = body.readUInt32BE(17) * 1000;
  if (expiresAt <= now) return undefined;
  const requestId = body
    .toString('hex', 1, 17)
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return { requestId, expiresAt };
}

/** The prefix keeps the secret's other uses from making a valid link. */
const mac = (body: Uint8Array, secret: string): Buffer =>
  createHmac('sha256', secret).update('link\0').update(body).digest().subarray(0, MAC_BYTES);
