import type { VideoRequest } from './types.ts';

/** Below this share the progress says too little, percent. */
const LEAST_PROGRESS = 5;
/** Written out, since the client imports nothing but itself. */
const ON_ITS_WAY = new Set([
  'requested',
  'accepted',
  'initializing',
  'preprocessing',
  'processing',
  'postprocessing',
]);

/**
 * How long upstream may still need, ms: as fast as it went from the registration to the last poll, or by upstream's
 * own upper estimate while it has hardly begun. It counts down between two polls.
 *
 * @param now ms since epoch
 * @returns undefined when nothing is known, and when that time is over
 */
export function timeLeft(request: VideoRequest, now: number): number | undefined {
  if (request.state !== 'active' || !ON_ITS_WAY.has(request.status)) return undefined;
  const end = expectedEnd(request);
  return end !== undefined && end > now ? end - now : undefined;
}

function expectedEnd({ progress, registeredAt, lastPolledAt, estimates }: VideoRequest): number | undefined {
  const begin = Date.parse(registeredAt);
  if (progress !== null && progress >= LEAST_PROGRESS && lastPolledAt)
    return begin + ((Date.parse(lastPolledAt) - begin) / progress) * 100;
  const upper = estimates?.time?.at(-1);
  return upper === undefined ? undefined : begin + upper * 1_000;
}
