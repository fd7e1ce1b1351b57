import type { IncomingHttpHeaders } from 'node:http';
import { type Answer, hang, html, reset, retryAfter, xmlError } from './answer.ts';
import type { Strike } from './faults.ts';
import type { Job, Jobs } from './jobs.ts';
import { parseRange } from './range.ts';
import type { Validity } from './signed-url.ts';
import { generatedVideo, type Video } from './video.ts';

/** A request for a video. `validity` is what its signature vouches for, undefined when that is not ours. */
type DownloadRequest = {
  method: string;
  headers: IncomingHttpHeaders;
  requestId: string;
  validity: Validity | undefined;
  /** Came by a redirect of ours. */
  moved: boolean;
};

/** Answers a signed download URL as S3 and R2 do; `issueMoved` signs a URL that is not redirected again. */
export function answerDownload(
  jobs: Jobs,
  request: DownloadRequest,
  issueMoved: (job: Job) => string,
  now: number,
): Answer {
  const { method, headers, requestId, validity, moved } = request;
  if (method !== 'GET' || !validity)
    return xmlError(403, 'SignatureDoesNotMatch', 'The request signature does not match the method and URL.');
  if (now >= validity.expiresAt) return xmlError(403, 'AccessDenied', 'Request has expired');
  const job = jobs.find(requestId, now);
  if (!job) return xmlError(404, 'NoSuchKey', 'The specified key does not exist.');
  job.downloadCalls += 1;
  const strike = jobs.strikes(job, 'download', now);

  if (strike('hang')) return hang;
  const revoked = strike('revoked', (begins) => validity.issuedAt < begins);
  if (revoked) return xmlError(revoked.status, 'AccessDenied', 'The URL was revoked.');
  const http = strike('http');
  if (http)
    return xmlError(
      http.status,
      'SimulatedFault',
      http.message ?? 'Simulated fault',
      retryAfter(http.retryAfter),
    );
  if (strike('html')) return html(200, 'Something went wrong');
  const redirect = moved ? undefined : strike('redirect');
  if (redirect)
    return { status: redirect.status, headers: { location: redirect.location ?? issueMoved(job) } };

  const video = strike('changed') ? generatedVideo(`${requestId}/changed`, job.video.size) : job.video;
  const answer = videoAnswer(video, headers, strike);
  return answer.body ? { ...answer, body: counted(answer.body, job) } : answer;
}

function videoAnswer(video: Video, headers: IncomingHttpHeaders, strike: Strike<'download'>): Answer {
  const { size, etag } = video;
  const ifMatch = headers['if-match'];
  if (ifMatch !== undefined && ifMatch !== '*' && !ifMatch.split(',').some((tag) => tag.trim() === etag))
    return xmlError(412, 'PreconditionFailed', 'At least one of the preconditions did not hold.');
  const ranged = strike('noRange') === undefined;
  const asked = ranged ? parseRange(headers.range, size) : undefined;
  if (asked === 'unsatisfiable')
    return xmlError(416, 'InvalidRange', 'The requested range is not satisfiable', {
      'content-range': `bytes */${size}`,
    });
  const { start, end } = asked ?? { start: 0, end: size };
  const long = strike('long');
  const length = end - start + (long?.extra ?? 0);
  const whole: Answer = {
    status: asked ? 206 : 200,
    headers: {
      'content-type': 'video/mp4',
      'content-length': String(length),
      etag,
      ...(ranged && { 'accept-ranges': 'bytes' }),
      ...(asked && { 'content-range': `bytes ${start}-${end - 1}/${size}` }),
    },
    body: long ? lengthened(video.slices(start, end), long.extra) : video.slices(start, end),
    bytesPerSecond: strike('drip')?.bytesPerSecond,
  };
  const gzip = strike('gzip') !== undefined;
  if (gzip) whole.headers!['content-encoding'] = 'gzip';
  if (gzip || strike('noLength')) delete whole.headers!['content-length'];
  return stopped({ ...whole, gzip }, length, strike);
}

/** The answer, but ending early when a fault says so. */
function stopped(answer: Answer, length: number, strike: Strike<'download'>): Answer {
  const body = answer.body!;
  const resetting = strike('reset');
  if (resetting?.afterBytes === 0) return reset;
  if (resetting) return { ...answer, body: first(resetting.afterBytes, body), ending: 'reset' };
  const stall = strike('stall');
  if (stall) return { ...answer, body: first(stall.afterBytes, body), ending: 'open' };
  const short = strike('short');
  if (!short) return answer;
  const sent = { ...answer, body: first(length - short.missing, body) };
  // Chunked, an early end looks like a proper one; otherwise the connection has to close.
  return answer.headers!['content-length'] === undefined ? sent : { ...sent, ending: 'cut' };
}

function* counted(body: Iterable<Uint8Array>, job: Job): Iterable<Uint8Array> {
  for (const slice of body) {
    yield slice;
    job.sentBytes += slice.length;
  }
}

function* first(bytes: number, body: Iterable<Uint8Array>): Iterable<Uint8Array> {
  let left = bytes;
  for (const slice of body) {
    if (left <= 0) return;
    yield slice.subarray(0, left);
    left -= slice.length;
  }
}

function* lengthened(body: Iterable<Uint8Array>, extra: number): Iterable<Uint8Array> {
  yield* body;
  yield Buffer.alloc(extra);
}
