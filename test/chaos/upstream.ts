import { generatedSha256 } from '../../local/topaz/video.ts';
import type { Faults } from './faults.ts';
import type { Random } from './random.ts';

/** A job at Topaz, as it is set up there. */
export type Job = {
  readonly requestId: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly statuses: readonly (readonly [status: string, atSeconds: number])[];
  readonly faults: readonly Record<string, unknown>[];
  /** Whether it says the statuses of its script only, each as long as it lasts. */
  readonly isOrderly: boolean;
};

const ORDER = ['requested', 'accepted', 'initializing', 'preprocessing', 'processing', 'postprocessing'];
/** What a video is cut into, and the bucket takes: a fifth of S3's smallest part, for speed. */
export const PART_BYTES = 1024 ** 2;
/** Copied in four parts, and rare: copying takes real time. */
const LARGE = 3 * PART_BYTES + 12_345;

const STATUS_FAULTS: readonly Record<string, unknown>[] = [
  { kind: 'http', status: 500 },
  { kind: 'http', status: 502 },
  { kind: 'http', status: 429, retryAfter: 20 },
  { kind: 'http', status: 503 },
  { kind: 'http', status: 404 },
  { kind: 'notJson' },
  { kind: 'wrongTypes' },
  { kind: 'reset' },
  { kind: 'noProgress' },
  { kind: 'noDownload' },
  { kind: 'unknownStatus', status: 'paused' },
  { kind: 'backwards' },
];
const DOWNLOAD_FAULTS: readonly Record<string, unknown>[] = [
  { kind: 'http', status: 503 },
  { kind: 'http', status: 403 },
  { kind: 'http', status: 500 },
  { kind: 'reset', afterBytes: 300_000 },
  { kind: 'expiry', seconds: 600 },
  { kind: 'revoked' },
  { kind: 'noRange' },
  { kind: 'noLength' },
  { kind: 'short' },
  { kind: 'redirect' },
  { kind: 'html' },
];

/** Chooses how a job will go: through some statuses in their order, to one of the ends. */
export function chooseJob(random: Random, faults: Faults): Job {
  const requestId = random.uuid();
  const large = random.chance(0.08);
  const bytes = large ? LARGE + random.integer(0, PART_BYTES / 2) : random.integer(1, 200_000);
  const statuses: [string, number][] = [];
  let at = 0;
  for (const status of ORDER) {
    if (statuses.length > 0 && random.chance(0.2)) continue;
    statuses.push([status, at]);
    at += random.pick([1, 5, 30, 120, 600]);
  }
  const end = random.pick(['complete', 'complete', 'complete', 'complete', 'failed', 'canceled']);
  if (end === 'canceled' && random.chance(0.5)) {
    statuses.push(['canceling', at]);
    at += 10;
  }
  statuses.push([end, at]);
  const struck = [
    ...(faults.has('upstream faults') && random.chance(0.5)
      ? [limited('status', random.pick(STATUS_FAULTS))]
      : []),
    ...(faults.has('download faults') && random.chance(0.5)
      ? [limited('download', random.pick(DOWNLOAD_FAULTS))]
      : []),
  ];
  // What was answered 404 for long enough is lost.
  const disorder = struck.some(
    ({ kind, status }) => ['unknownStatus', 'backwards'].includes(kind as string) || status === 404,
  );
  return {
    requestId,
    bytes,
    sha256: generatedSha256(requestId, bytes),
    statuses,
    faults: struck,
    isOrderly: !disorder,
  };

  function limited(at: string, fault: Record<string, unknown>): Record<string, unknown> {
    return { at, ...fault, skip: random.integer(0, 3), times: random.integer(1, 6) };
  }
}
