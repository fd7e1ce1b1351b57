import type { Table } from '../adapters/dynamodb/table.ts';
import { linkSecretKey } from '../domain/rows.ts';
import { createSecretRow } from './secret-row.ts';

const SECRET_BYTES = 32;
/** How long the secret is used before it is read again, so that a replaced one is used within a minute. */
const CACHE_MS = 60_000;

/**
 * Reads the secret that signs links to videos and cursors of lists, cached for 60 s. A person replaces it by deleting
 * its row, or by putting another text into it. Throws when the row has no text, since anyone could sign with that.
 */
export function createLinkSecret(
  table: Pick<Table, 'get' | 'write'>,
  randomBytes: (count: number) => Uint8Array,
  now: () => number,
): () => Promise<string> {
  const row = createSecretRow<{ readonly secret: string }>(table, linkSecretKey, () => ({
    secret: Buffer.from(randomBytes(SECRET_BYTES)).toString('base64url'),
  }));
  let last: { readonly secret: string; readonly readAt: number } | undefined;

  return async () => {
    if (last && now() - last.readAt < CACHE_MS) return last.secret;
    const { secret } = await row();
    if (!secret) throw new LinkSecretWithoutText();
    last = { secret, readAt: now() };
    return secret;
  };
}

class LinkSecretWithoutText extends Error {
  override readonly name = 'LinkSecretWithoutText';

  constructor() {
    super(`The row ${linkSecretKey.pk} has no text in \`secret\`: delete it, and the bridge makes a new one`);
  }
}
