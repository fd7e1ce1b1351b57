import type { VideoRequest } from '../../client/client.ts';

type Seen = { readonly progress: number; readonly observedAt: number };
type Course = {
  readonly status: string;
  readonly first: Seen;
  readonly last: Seen;
  readonly heardAt: number;
};

/**
 * Tells how long requests may still take in their present status, ms: as fast as they went from the first
 * observation here to the last one, less the time since. Undefined until there are two, and once that is over.
 *
 * @param now ms since epoch
 */
export function createTimeLeft(now: () => number): (request: VideoRequest) => number | undefined {
  const courses = new Map<string, Course>();

  return ({ requestId, status, progress, lastPolledAt }) => {
    if (progress === null || !lastPolledAt) return undefined;
    const seen = { progress, observedAt: Date.parse(lastPolledAt) };
    const before = courses.get(requestId);
    const course: Course =
      before?.status === status
        ? seen.progress > before.last.progress
          ? { ...before, last: seen, heardAt: now() }
          : before
        : { status, first: seen, last: seen, heardAt: now() };
    courses.set(requestId, course);
    const { first, last, heardAt } = course;
    const gained = last.progress - first.progress;
    if (gained <= 0) return undefined;
    const left = ((100 - last.progress) / gained) * (last.observedAt - first.observedAt) - (now() - heardAt);
    return left > 0 ? left : undefined;
  };
}
