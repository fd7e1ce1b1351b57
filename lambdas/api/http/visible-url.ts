import type { Caller } from './auth.ts';

/**
 * The URL of an endpoint as the caller may see it: a token in its path or query lets its holder call the
 * receiver, so keys that only read see the origin alone.
 */
export function visibleUrl(url: string, { role }: Pick<Caller, 'role'>): string {
  return role === 'admin' ? url : `${new URL(url).origin}/…`;
}
