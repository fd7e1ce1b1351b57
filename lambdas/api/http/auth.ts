import { createHash, timingSafeEqual } from 'node:crypto';
import { log } from '../../adapters/lambda/log.ts';
import type { SecretReader } from '../../adapters/secrets.ts';
import { isEndpointId } from '../../domain/ids.ts';
import { Problem } from './problem.ts';

/** Who calls, without the key. `read` may look at everything that gives no power; `admin` may do everything. */
export type Caller =
  | { readonly id: string; readonly role: 'admin' }
  | { readonly id: string; readonly role: 'read' }
  /** May fetch and acknowledge the messages of one pull endpoint, and nothing else. */
  | { readonly id: string; readonly role: 'consumer'; readonly endpointId: string };
type ApiKey = Caller & { readonly key: string };

export type Authenticate = (authorization: string | undefined) => Promise<Caller>;

/**
 * Finds the caller by its bearer key in the secret of API keys. The secret is `{"keys": [{"id", "key", "role", "endpointId"?}]}`;
 * the deployment generates it as `{"keys": [], "firstKey"}`, where `firstKey` is that of the admin `admin`.
 */
export function createAuthenticate(apiKeys: SecretReader): Authenticate {
  let parsed: { readonly text: string; readonly keys: readonly ApiKey[] } | undefined;

  return async (authorization) => {
    const given = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    if (given === undefined) {
      throw unauthorized('This call needs a key: send "Authorization: Bearer <key>".');
    }
    const text = await apiKeys();
    if (parsed?.text !== text) parsed = { text, keys: parseKeys(text) };
    const found = match(parsed.keys, given);
    if (!found)
      throw unauthorized('This key is not known: use one from the secret of API keys.', 'invalid_token');
    const { key: _, ...caller } = found;
    return caller;
  };
}

/** Compares with every key in constant time, so that the time reveals nothing about any key. */
function match(keys: readonly ApiKey[], given: string): ApiKey | undefined {
  const digest = sha256(given);
  let found: ApiKey | undefined;
  for (const key of keys) {
    if (timingSafeEqual(sha256(key.key), digest)) found = key;
  }
  return found;
}

const MALFORMED =
  'The secret of API keys must be {"keys": [{"id", "key", "role": "admin", "read" or "consumer"}]}: correct it';

/** Ignores a malformed key, so that the other keys still work; the log names it. */
function parseKeys(text: string): ApiKey[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Error(MALFORMED); // without the cause, which quotes the secret
  }
  const { keys, firstKey } = (parsed ?? {}) as { keys?: unknown; firstKey?: unknown };
  const first = { id: 'admin', key: firstKey, role: 'admin' };
  if (!Array.isArray(keys) && !isApiKey(first)) throw new Error(MALFORMED);
  const listed: unknown[] = Array.isArray(keys) ? keys : [];
  listed.forEach((entry, place) => {
    if (!isApiKey(entry)) log.error('malformed API key ignored: correct it', { place, id: idOf(entry) });
  });
  return [...(firstKey === undefined ? [] : [first]), ...listed].filter(isApiKey);
}

function idOf(entry: unknown): string | undefined {
  const id = (entry as { id?: unknown } | null)?.id;
  return typeof id === 'string' ? id : undefined;
}

function isApiKey(value: unknown): value is ApiKey {
  if (typeof value !== 'object' || value === null) return false;
  const { id, key, role, endpointId } = value as Record<string, unknown>;
  if (typeof id !== 'string' || typeof key !== 'string' || key === '') return false;
  if (role === 'consumer') return typeof endpointId === 'string' && isEndpointId(endpointId);
  return role === 'admin' || role === 'read';
}

function unauthorized(detail: string, error?: string): Problem {
  return new Problem(401, detail, {
    headers: { 'www-authenticate': error ? `Bearer error="${error}"` : 'Bearer' },
  });
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
