import { checkGivenUrl, type TargetRules } from '../../domain/http/target-url.ts';
import { asSourceError, busy, unusable } from './source-error.ts';

/** Browsers follow twenty; what leads in a circle for now may lead to the video later. */
const MAX_REDIRECTS = 10;
/** How many URLs a worker remembers. */
const REMEMBERED = 100;

export type Following = ReturnType<typeof createRedirects>;

/**
 * Follows redirects, ten in a row at most, each checked like the URL itself. Remembers where a URL
 * led to, so that a redirect is not followed again for every part.
 */
export function createRedirects(rules: TargetRules) {
  const moved = new Map<string, string>();

  /** Does `attempt` with the URL, or with the one that it redirects to. Rejects with a SourceError. */
  return async function following<T>(url: string, attempt: (target: string) => Promise<T>): Promise<T> {
    const check = checkGivenUrl(url, rules);
    if (!check.ok) throw unusable(`the source is at a URL that the bridge does not fetch: ${check.what}`);
    const remembered = moved.get(url);
    let target = remembered ?? check.url.href;
    for (let redirects = 0; ; redirects++) {
      try {
        return await attempt(target);
      } catch (error) {
        const failure = asSourceError(error, new URL(target).host);
        const { kind, location } = failure.fault;
        if (kind === 'moved' && location !== undefined) {
          if (redirects === MAX_REDIRECTS) {
            throw busy(`the source redirects more than ${MAX_REDIRECTS} times`);
          }
          target = resolved(location, target);
          if (moved.size >= REMEMBERED) moved.clear();
          moved.set(url, target);
        } else if (kind === 'refused' && target === remembered) {
          // Where it led to last time may have expired; the URL itself is asked again.
          moved.delete(url);
          return following(url, attempt);
        } else {
          // It may have led to a page that says "not yet", or "log in": next time it may lead elsewhere.
          moved.delete(url);
          throw failure;
        }
      }
    }
  };

  function resolved(location: string, from: string): string {
    const check = checkGivenUrl(decoded(location), rules, from);
    if (check.ok) return check.url.href;
    throw unusable(`the source redirects to a URL that the bridge does not fetch: ${check.what}`);
  }
}

/** A header's bytes, which were read one character a byte: servers write UTF-8 where it should be encoded. */
function decoded(header: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(header, 'latin1'));
  } catch {
    return header;
  }
}
