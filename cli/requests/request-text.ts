import type { VideoRequest } from '../../client/client.ts';
import { bar, bytesText, durationText } from '../frame/text.ts';

/** Whether it has ended: nothing more happens to it until a person acts. */
export const hasEnded = ({ state }: VideoRequest): boolean => state !== 'active';

/** Whether it ended as its owner wishes: complete, and stored if it is to be copied. */
export function hasSucceeded({ state, status, video }: VideoRequest): boolean {
  return state === 'done' && status === 'complete' && (video === null || video.state === 'stored');
}

/** What it does at the moment, in one line: status, bar, per cent, time left. */
export function progressLine(request: VideoRequest, leftMs?: number): string {
  const { requestId, state, status, progress, video } = request;
  const head = requestId.slice(0, 8);
  if (state === 'parked') return `${head}  waits for a person: ${request.parked?.reason ?? 'see show'}`;
  if (video?.state === 'copying') {
    const { copiedBytes = 0, size, bytesPerSecond } = video;
    const rate = bytesPerSecond ? `, ${bytesText(bytesPerSecond)}/s` : '';
    const share = size ? `${bar(copiedBytes / size)} ${percent((100 * copiedBytes) / size)}  ` : '';
    return `${head}  ${share}copying ${bytesText(copiedBytes)}${size ? ` of ${bytesText(size)}` : ''}${rate}`;
  }
  if (hasEnded(request)) return `${head}  ${endText(request)}`;
  const left = leftMs === undefined ? '' : `, about ${durationText(leftMs)} left`;
  if (progress === null || status === 'complete') return `${head}  ${status}${left}`;
  return `${head}  ${bar(progress / 100)} ${percent(progress)}  ${status}${left}`;
}

/** How it ended, with the reason. */
export function endText({ state, status, video, message, errorCode, parked }: VideoRequest): string {
  const reason = [message, errorCode && `(${errorCode})`].filter(Boolean).join(' ');
  if (state === 'stopped') return `stopped while ${status}`;
  if (state === 'parked') return `parked: ${parked?.reason ?? ''}`;
  if (status !== 'complete') return `${status}${reason ? `: ${reason}` : ''}`;
  if (video?.state === 'stored') return `stored as s3://${video.bucket}/${video.key}`;
  if (video?.state === 'failed') return `complete, but not stored: ${video.error ?? 'see show'}`;
  return status;
}

const percent = (value: number): string => `${String(Math.floor(value)).padStart(3)} %`;
