import { createHmac, timingSafeEqual } from 'node:crypto';

/** When a URL was issued and when it dies, ms since epoch. */
export type Validity = { issuedAt: number; expiresAt: number };

/** Signs a path for GET. `nonce` keeps two URLs of the same millisecond apart. */
export function signPath(
  path: string,
  { issuedAt, expiresAt }: Validity,
  nonce: number,
  key: Uint8Array,
): string {
  const query = new URLSearchParams({
    issuedAt: String(issuedAt),
    expiresAt: String(expiresAt),
    nonce: String(nonce),
  });
  query.set('signature', signature(path, query, key));
  return `${path}?${query}`;
}

/** The validity that a signed URL carries, undefined unless its signature is ours. Expiry is the caller's to judge. */
export function verifyPath(url: URL, key: Uint8Array): Validity | undefined {
  const query = new URLSearchParams(url.search);
  const given = Buffer.from(query.get('signature') ?? '', 'hex');
  query.delete('signature');
  const expected = Buffer.from(signature(url.pathname, query, key), 'hex');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  return { issuedAt: Number(query.get('issuedAt')), expiresAt: Number(query.get('expiresAt')) };
}

function signature(path: string, query: URLSearchParams, key: Uint8Array): string {
  return createHmac('sha256', key).update(`GET\n${path}\n${query}`).digest('hex');
}
