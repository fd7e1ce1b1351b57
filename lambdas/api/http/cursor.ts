import { createHmac, timingSafeEqual } from 'node:crypto';
import { invalid } from './problem.ts';

const MAC_BYTES = 16;

/**
 * A cursor names the place where a page ended. It is signed together with the list and its filter,
 * so that it can neither be made up nor used for another list.
 *
 * @param list the path and the filter
 */
export function encodeCursor(position: string, list: string, secret: string): string {
  const bytes = Buffer.from(position);
  return Buffer.concat([mac(bytes, list, secret), bytes]).toString('base64url');
}

/** The reverse of {@link encodeCursor}; throws a problem for a cursor that is not of this list. */
export function decodeCursor(cursor: string, list: string, secret: string): string {
  const bytes = Buffer.from(cursor, 'base64url');
  const position = bytes.subarray(MAC_BYTES);
  const valid =
    bytes.length > MAC_BYTES &&
    bytes.toString('base64url') === cursor &&
    timingSafeEqual(bytes.subarray(0, MAC_BYTES), mac(position, list, secret));
  if (valid) return position.toString();
  const message =
    'This cursor is not from this list and filter: use the last answer’s, or begin without one.';
  throw invalid([{ path: 'cursor', message }]);
}

function mac(position: Uint8Array, list: string, secret: string): Buffer {
  const hmac = createHmac('sha256', secret).update(`cursor\0${list}\0`).update(position);
  return hmac.digest().subarray(0, MAC_BYTES);
}
