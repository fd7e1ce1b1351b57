import type { ApiContext } from './context.ts';

type Wait = {
  readonly forMs: number;
  readonly everyMs: number;
};

/** Looks again and again until there is something; undefined when there is nothing after this time. */
export async function waitFor<T>(
  look: () => Promise<T | undefined>,
  { forMs, everyMs }: Wait,
  { now, sleep }: Pick<ApiContext, 'now' | 'sleep'>,
): Promise<T | undefined> {
  const until = now() + forMs;
  for (;;) {
    const found = await look();
    if (found !== undefined || now() >= until) return found;
    await sleep(Math.min(everyMs, Math.max(0, until - now())));
  }
}
