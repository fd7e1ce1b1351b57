import { type Answer, hang, html, json, reset, retryAfter } from './answer.ts';
import type { Strike } from './faults.ts';
import { elapsedSeconds, type Job, type Jobs } from './jobs.ts';
import { type Download, statusBody } from './status-body.ts';
import { positionAt } from './trace.ts';

/** Answers `GET /video/{requestId}/status`; `issueDownload` makes a fresh signed URL. */
export function answerStatus(
  jobs: Jobs,
  requestId: string,
  issueDownload: (job: Job) => Download,
  now: number,
): Answer {
  const job = jobs.find(requestId, now);
  if (job) job.statusCalls += 1;
  const strike = jobs.strikes(job, 'status', now);

  if (strike('hang')) return hang;
  if (strike('reset')) return reset;
  const http = strike('http');
  if (http)
    return json(http.status, { message: http.message ?? 'Simulated fault' }, retryAfter(http.retryAfter));
  if (strike('notJson')) return html(200, 'Service temporarily unavailable');
  // An outage does not look at ids.
  if (!job) return json(404, { message: 'Request not found', errorCode: 'NOT_FOUND' });
  if (strike('wrongTypes')) return json(200, WRONG_TYPES);
  const huge = strike('huge');
  if (huge) return hugeAnswer(huge.bytes);

  const body = statusBody(job, secondsToShow(job, strike, now));
  if (body.status === 'complete' && !strike('noDownload')) body.download = issueDownload(job);
  if (body.progress !== undefined && strike('noProgress')) delete body.progress;
  body.status = strike('unknownStatus')?.status ?? body.status;
  return { ...json(200, body), bytesPerSecond: strike('drip')?.bytesPerSecond };
}

function secondsToShow(job: Job, strike: Strike<'status'>, now: number): number {
  const elapsed = elapsedSeconds(job, now);
  const { index } = positionAt(job.trace, elapsed);
  const backwards = index > 0 ? strike('backwards') : undefined;
  return backwards ? job.trace.statuses[Math.max(0, index - backwards.steps)]![1] : elapsed;
}

const WRONG_TYPES = {
  status: 7,
  progress: 'half',
  estimates: 'soon',
  averageFps: null,
  outputSize: ['large'],
  processingJobs: {},
  download: 'here',
};

function hugeAnswer(bytes: number): Answer {
  const padding = Buffer.alloc(64 * 1024, 'x');
  function* body() {
    yield Buffer.from('{"status":"processing","message":"');
    for (let left = bytes; left > 0; left -= padding.length) yield padding.subarray(0, left);
    yield Buffer.from('"}');
  }
  return { status: 200, headers: { 'content-type': 'application/json' }, body: body() };
}
