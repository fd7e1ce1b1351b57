import type { Timeline } from '../../client/client.ts';
import { isTerminal } from '../parts/stages.ts';

/** From upstream's first status to its end, ms; undefined while it goes on. A restart sees the same end again. */
export function timeTaken({ statuses }: Pick<Timeline, 'statuses'>): number | undefined {
  const first = statuses.find(({ status }) => status !== 'registered');
  const end = statuses.find(({ status }) => isTerminal(status) && status !== 'lost');
  return first && end && Date.parse(end.at) - Date.parse(first.at);
}
