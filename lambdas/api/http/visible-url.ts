import type { Caller } from './auth.ts';

/**
 * The URL of an endpoint as the caller may see it: a token in its path or query lets its holder call the
 * receiver, so keys that only read see the origin alone.
 */
export function visibleUrl(url: string, { role }: Pick<Caller, 'role'>): string {
  return role === 'admin' ? url : `${new URL(url).origin}/…`;
}

/** The same for the URLs in a text, such as the target of a redirect, or what a receiver answered. */
export function visibleUrls(text: string, caller: Pick<Caller, 'role'>): string {
  return text.replace(/https?:\/\/[^\s"'<>]+/g, (found) => {
    const end = found.endsWith(',') ? ',' : '';
    const url = found.slice(0, found.length - end.length);
    return URL.canParse(url) ? `${visibleUrl(url, caller)}${end}` : found;
  });
}
