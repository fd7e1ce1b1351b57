import { hash } from 'node:crypto';

/** What a search found: how many states there are, and the shortest way to one that is broken. */
type Found = { readonly states: number; readonly path?: readonly string[]; readonly broken?: string };

/**
 * Visits every state that can be reached, nearest first, and stops at the first that is broken. Two
 * states with the same key are the same.
 */
export function search<S extends { readonly broken?: string }>(
  initial: S,
  successors: (state: S) => readonly (readonly [string, S])[],
  keyOf: (state: S) => string,
): Found {
  type Node = { readonly state: S; readonly step: string; readonly from?: Node };
  // Digests: the keys themselves would fill the memory.
  const digest = (state: S) => hash('md5', keyOf(state), 'base64');
  const seen = new Set([digest(initial)]);
  let level: Node[] = [{ state: initial, step: 'begin' }];
  while (level.length > 0) {
    const next: Node[] = [];
    for (const from of level) {
      for (const [step, state] of successors(from.state)) {
        if (state.broken) {
          const path = [step];
          for (let node: Node | undefined = from; node; node = node.from) path.unshift(node.step);
          return { states: seen.size, path, broken: state.broken };
        }
        const key = digest(state);
        if (seen.has(key)) continue;
        seen.add(key);
        next.push({ state, step, from });
      }
    }
    level = next;
  }
  return { states: seen.size };
}
