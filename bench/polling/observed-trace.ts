import type { Timeline, VideoRequest } from '../../client/client.ts';
import type { Trace } from './trace.ts';

/** A line of `topaz-bridge export`, as far as it is read here. */
export type Exported =
  | {
      kind: 'request';
      request: Pick<VideoRequest, 'requestId' | 'estimates'>;
      timeline: Pick<Timeline, 'statuses' | 'observations'>;
    }
  | { kind: 'event' | 'delivery' };

/** What the bridge calls the time before its first poll. */
const REGISTERED = 'registered';
const FINAL = ['complete', 'failed', 'canceled'];

/**
 * What the bridge observed of a job, since it was registered or last restarted; undefined while it has not ended. Each
 * change is at the time of the poll that saw it.
 */
export function observedTrace({
  request,
  timeline,
}: Extract<Exported, { kind: 'request' }>): Trace | undefined {
  const begun = timeline.statuses.findLastIndex(({ status }) => status === REGISTERED);
  const start = timeline.statuses[begun];
  const statuses = timeline.statuses.slice(begun + 1);
  const end = statuses.findIndex(({ status }) => FINAL.includes(status));
  if (!start || end < 0) return undefined;
  const seconds = (at: string) => (Date.parse(at) - Date.parse(start.at)) / 1_000;
  const [low, high] = request.estimates?.time ?? [];
  return {
    requestId: request.requestId,
    statuses: statuses.slice(0, end + 1).map(({ status, at }) => [status, seconds(at)]),
    progress: timeline.observations
      .filter(({ at }) => at >= start.at)
      .map(({ at, progress }) => [seconds(at), progress]),
    ...(low === undefined || high === undefined ? {} : { estimates: { time: [low, high] } }),
  };
}
