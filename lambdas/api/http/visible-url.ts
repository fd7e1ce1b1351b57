import type { Caller } from './auth.ts';

/**
 * The URL of an endpoint as the caller may see it: a token in its path or query lets its holder call the
 * receiver, so keys that only read see the origin alone.
 */
export function visibleUrl(url: string, { role }: Pick<Caller, 'role'>): string {
  return role === 'admin' ? url : `${new URL(url).origin}/…`;
}

/** A URL in a text, or a path that begins a word: what stands before it goes along. */
const URL_OR_PATH = /https?:\/\/[^\s"'<>]+|(^|[\s"'(:=>])\/[^\s"'<>]+/g;

/**
 * The same for the URLs in a text, such as the target of a redirect, or what a receiver answered: many name the path that
 * they do not know.
 */
export function visibleUrls(text: string, caller: Pick<Caller, 'role'>): string {
  if (caller.role === 'admin') return text;
  return text.replace(URL_OR_PATH, (found, before?: string) => {
    if (before !== undefined) return `${before}/…`;
    const end = found.endsWith(',') ? ',' : '';
    const url = found.slice(0, found.length - end.length);
    return URL.canParse(url) ? `${visibleUrl(url, caller)}${end}` : found;
  });
}
