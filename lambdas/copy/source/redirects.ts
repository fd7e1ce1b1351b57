import { checkTargetUrl, type TargetRules } from '../../domain/http/target-url.ts';
import { asTrouble, unusable } from './source-error.ts';

const MAX_REDIRECTS = 3;
/** URLs of so many copies are remembered by one worker. */
const REMEMBERED = 100;

/**
 * Follows redirects, three in a row at most, each checked like the URL itself; remembers where a URL
 * led to, so that not every part is sent the long way.
 */
export function createRedirects(rules: TargetRules) {
  const moved = new Map<string, string>();

  /** Does `attempt` with the URL, or with the one that it redirects to. Rejects with a SourceTrouble. */
  return async function following<T>(url: string, attempt: (target: string) => Promise<T>): Promise<T> {
    const check = checkTargetUrl(url, rules);
    if (!check.ok) throw unusable(`the source is where the bridge must not go. ${check.reason}`);
    const remembered = moved.get(url);
    let target = remembered ?? url;
    for (let redirects = 0; ; redirects++) {
      try {
        return await attempt(target);
      } catch (error) {
        const trouble = asTrouble(error, new URL(target).host);
        const { kind, location } = trouble.fault;
        if (kind === 'moved' && location !== undefined) {
          if (redirects === MAX_REDIRECTS) {
            throw unusable(`the source redirects more than ${MAX_REDIRECTS} times`);
          }
          target = resolved(location, target);
          if (moved.size >= REMEMBERED) moved.clear();
          moved.set(url, target);
        } else if (kind === 'refused' && target === remembered) {
          // Where it led to last time may have expired; the URL itself is asked again.
          moved.delete(url);
          return following(url, attempt);
        } else throw trouble;
      }
    }
  };

  function resolved(location: string, from: string): string {
    const target = URL.canParse(location, from) ? new URL(location, from).href : '';
    const check = checkTargetUrl(target, rules);
    if (!check.ok) throw unusable(`the source redirects to where the bridge must not go. ${check.reason}`);
    return target;
  }
}
