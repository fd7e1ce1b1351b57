import { createHmac, timingSafeEqual } from 'node:crypto';
import { uuidOf } from '../ids.ts';

/** What a link to a stored video says. Times are ms since epoch. */
type Link = {
  readonly requestId: string;
  /** Unknown of links that were made before this was kept. */
  readonly issuedAt?: number | undefined;
  /** Kept in whole seconds, rounded up. */
  readonly expiresAt: number;
};

const VERSION = 2;
const VERSION_WITHOUT_ISSUE = 1;
const ISSUE_BYTES = 6;
const MAC_BYTES = 16;
/** Bytes before the MAC, by version: version, request, issue, expiry. */
const BODY_BYTES = new Map([
  [VERSION, 1 + 16 + ISSUE_BYTES + 4],
  [VERSION_WITHOUT_ISSUE, 1 + 16 + 4],
]);

/**
 * The token of `/v1/links/{token}`: base64url of version, request, times and their HMAC-SHA256, cut
 * to 16 bytes. A link has no row, so it costs nothing until it is used. Its time of issue shows whether the
 * request was registered again since: then the link has ended.
 *
 * @param link.requestId a UUID
 */
export function signLink(
  { requestId, issuedAt, expiresAt }: Link & { readonly issuedAt: number },
  secret: string,
): string {
  const body = Buffer.alloc(1 + 16 + ISSUE_BYTES + 4);
  body.writeUInt8(VERSION, 0);
  body.write(requestId.replaceAll('-', ''), 1, 'hex');
  body.writeUIntBE(issuedAt, 17, ISSUE_BYTES);
  body.writeUInt32BE(Math.ceil(expiresAt / 1000), 17 + ISSUE_BYTES);
  return Buffer.concat([body, mac(body, secret)]).toString('base64url');
}

/** The reverse of {@link signLink}; undefined for a token that is forged, damaged or expired. */
export function verifyLink(token: string, secret: string, now: number): Link | undefined {
  const bytes = Buffer.from(token, 'base64url');
  const version = bytes[0];
  const bodyBytes = BODY_BYTES.get(version ?? 0);
  // A decoder takes several spellings of the same bytes; a link has one.
  if (!bodyBytes || bytes.length !== bodyBytes + MAC_BYTES || bytes.toString('base64url') !== token) {
    return undefined;
  }
  const body = bytes.subarray(0, bodyBytes);
  if (!timingSafeEqual(bytes.subarray(bodyBytes), mac(body, secret))) return undefined;
  const expiresAt = body.readUInt32BE(bodyBytes - 4) * 1000;
  if (expiresAt <= now) return undefined;
  const issuedAt = version === VERSION ? body.readUIntBE(17, ISSUE_BYTES) : undefined;
  return { requestId: uuidOf(body.toString('hex', 1, 17)), issuedAt, expiresAt };
}

/** The prefix keeps the secret's other uses from making a valid link. */
const mac = (body: Uint8Array, secret: string): Buffer =>
  createHmac('sha256', secret).update('link\0').update(body).digest().subarray(0, MAC_BYTES);
