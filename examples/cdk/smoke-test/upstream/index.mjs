// Stands in for the Topaz Video API. It keeps nothing: a request id is a UUID of version 7, whose first 48 bits say
// when the job began, and whose last digit says how it ends. Any other id is unknown. Runs with the AWS SDK of
// Lambda's runtime.
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';

const STATUS_PATH = /^\/video\/([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})\/status$/;
/** Each status, and from which second of the job on. */
const STATUSES = [
  ['requested', 0],
  ['accepted', 2],
  ['preprocessing', 4],
  ['processing', 8],
  ['postprocessing', 24],
];
const END_S = 28;
const URL_LIFETIME_S = 3600;

const s3 = new S3Client({});

export async function handler({ rawPath, headers }) {
  if (!headers['x-api-key']) return answer(401, { message: 'There is no API key.' });
  const [, requestId] = STATUS_PATH.exec(rawPath) ?? [];
  const startedAt = Number.parseInt(requestId?.replaceAll('-', '').slice(0, 12) ?? '', 16);
  const seconds = (Date.now() - startedAt) / 1000;
  if (!(seconds >= -60)) return answer(404, { message: 'There is no such request.' });
  return answer(200, await statusOf(requestId, seconds));
}

async function statusOf(requestId, seconds) {
  if (seconds >= END_S && requestId.endsWith('f'))
    return { status: 'failed', message: 'The smoke test wants this job to fail.', errorCode: 'SMOKE_TEST' };
  if (seconds >= END_S) return { status: 'complete', progress: 100, download: await download() };
  const [status] = STATUSES.findLast(([, from]) => seconds >= from) ?? STATUSES[0];
  const [from, until] = [STATUSES[3][1], STATUSES[4][1]];
  const progress = Math.round(Math.min(100, Math.max(0, ((seconds - from) / (until - from)) * 100)));
  return { status, progress, estimates: { time: [END_S, END_S], cost: [1, 1] } };
}

/** A signed URL of S3 that expires, as the Topaz API gives it. */
async function download() {
  const { VIDEO_BUCKET: Bucket, VIDEO_KEY: Key } = process.env;
  const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key }), { expiresIn: URL_LIFETIME_S });
  return { url, expiresIn: URL_LIFETIME_S * 1000, expiresAt: Date.now() + URL_LIFETIME_S * 1000 };
}

const answer = (statusCode, body) => ({
  statusCode,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
