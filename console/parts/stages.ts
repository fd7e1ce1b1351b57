import type { VideoRequest } from '../../client/client.ts';
import type { Tone } from './tone.ts';

/** The statuses that a video passes, in order, with a class for their color. */
export const STAGES = [
  { status: 'requested', label: 'Requested', color: 'stage-early' },
  { status: 'accepted', label: 'Accepted', color: 'stage-early' },
  { status: 'initializing', label: 'Initializing', color: 'stage-early' },
  { status: 'preprocessing', label: 'Preprocessing', color: 'stage-pre' },
  { status: 'processing', label: 'Processing', color: 'stage-work' },
  { status: 'postprocessing', label: 'Postprocessing', color: 'stage-post' },
  { status: 'complete', label: 'Complete', color: 'stage-done' },
] as const;

/** Statuses in which a machine works on the video; in the others it waits for one. */
const WORKING = new Set(['initializing', 'preprocessing', 'processing', 'postprocessing', 'canceling']);
export const isWorking = (status: string): boolean => WORKING.has(status);

const TERMINAL = new Set(['complete', 'failed', 'canceled', 'lost']);
/** Whether upstream has ended. */
export const isTerminal = (status: string): boolean => TERMINAL.has(status);

const ENDINGS: Record<string, { label: string; color: string; tone: Tone }> = {
  registered: { label: 'Registered', color: 'stage-early', tone: 'waiting' },
  canceling: { label: 'Canceling', color: 'stage-canceled', tone: 'warn' },
  canceled: { label: 'Canceled', color: 'stage-canceled', tone: 'idle' },
  failed: { label: 'Failed', color: 'stage-failed', tone: 'bad' },
  lost: { label: 'Lost upstream', color: 'stage-failed', tone: 'bad' },
};

/** A status in words, with the class of its color. */
export function stageOf(status: string): { label: string; color: string; tone: Tone } {
  const stage = STAGES.find((each) => each.status === status);
  if (stage)
    return { ...stage, tone: stage.status === 'complete' ? 'good' : isWorking(status) ? 'busy' : 'waiting' };
  return ENDINGS[status] ?? { label: status, color: 'stage-unknown', tone: 'warn' };
}

/** The class of the color of a type of event: that of the status that it tells. */
export function eventColor(type: string): string {
  const name = type.split('.')[1] ?? '';
  if (type === 'video.stored') return 'stage-copy';
  if (type === 'endpoint.recovered') return 'stage-done';
  if (/failed|lost|unavailable|disabled/.test(name)) return 'stage-failed';
  return type.startsWith('video.') ? stageOf(name).color : 'stage-early';
}

/** What is to be said of the video, in a word or two; nothing before there is one. */
export function videoInWords({ video, state }: VideoRequest): { label: string; tone: Tone } | undefined {
  if (!video) return state === 'done' ? { label: 'no copy', tone: 'idle' } : undefined;
  switch (video.state) {
    case 'pending':
      return { label: 'to be copied', tone: 'waiting' };
    case 'copying':
      return { label: `copying${partOf(video)}`, tone: 'busy' };
    case 'stored':
      return { label: 'stored', tone: 'good' };
    case 'failed':
      return { label: 'copy failed', tone: 'bad' };
  }
}

const partOf = ({ copiedBytes = 0, size }: { copiedBytes?: number; size?: number }): string =>
  size ? ` ${Math.floor((copiedBytes / size) * 100)} %` : '';
