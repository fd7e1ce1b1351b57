import { createHash } from 'node:crypto';
import type { Job } from './jobs.ts';
import { type Position, positionAt, secondsIn } from './trace.ts';

/** A status answer as the Topaz Video API documents it (StatusResponse), and `errorCode`, which it adds. */
export type StatusBody = {
  status: string;
  progress?: number;
  estimates?: { cost?: number[]; time?: number[] };
  averageFps?: number;
  combinedFps?: number;
  outputSize?: string;
  message?: string;
  errorCode?: string;
  processingJobs?: ChunkState[];
  download?: Download;
};

export type Download = { url: string; expiresIn: number; expiresAt: number };

type ChunkState = {
  chunkId: string;
  chunkIndex: number;
  taskIndex: number;
  status: 'queued' | 'processing' | 'complete' | 'canceled' | 'failed';
  gpuUtilization: number;
  gpuMemoryUtilization: number;
  sampleCount: number;
  currentFrame: number;
  expectedOutputFrames: number;
  latestLogTs: number;
  currentSize: number;
  fps: number;
  progress: number;
};

const FRAMES_PER_CHUNK = 300;
const CHUNK_STATUS: Record<string, ChunkState['status']> = {
  processing: 'processing',
  postprocessing: 'complete',
  complete: 'complete',
  canceling: 'canceled',
  canceled: 'canceled',
  failed: 'failed',
};

/** What a job answers `elapsed` seconds (of its trace) after its start; the download is added by the caller. */
export function statusBody(job: Job, elapsed: number): StatusBody {
  const { trace } = job;
  const position = positionAt(trace, elapsed);
  const { status, progress } = position;
  const body: StatusBody = { status };
  if (progress !== undefined) body.progress = progress;
  // The estimate comes with the source, so that a job just requested has none yet.
  if (trace.estimates && position.index > 0) body.estimates = trace.estimates;
  const chunkStatus = CHUNK_STATUS[status];
  if (chunkStatus) body.processingJobs = chunks(job, position, chunkStatus);
  if (status === 'processing') {
    body.averageFps = fps(job);
    body.combinedFps = round(body.averageFps * trace.nodes);
  }
  if (status === 'complete') body.outputSize = readableSize(trace.outputBytes ?? job.video.size);
  if (status === 'failed') {
    body.message = trace.message ?? 'Processing failed on a node.';
    body.errorCode = trace.errorCode ?? 'PROCESSING_FAILED';
  } else if (trace.message !== undefined && status === trace.statuses.at(-1)?.[0])
    body.message = trace.message;
  return body;
}

function chunks(job: Job, position: Position, status: ChunkState['status']): ChunkState[] {
  const progress = status === 'complete' ? 100 : (position.progress ?? 0);
  const chunkBytes = (job.trace.outputBytes ?? job.video.size) / job.trace.nodes;
  const busy = status === 'processing';
  return Array.from({ length: job.trace.nodes }, (_, chunkIndex) => ({
    chunkId: chunkId(job.requestId, chunkIndex),
    chunkIndex,
    taskIndex: 0,
    status,
    gpuUtilization: busy ? 97 : 0,
    gpuMemoryUtilization: busy ? 64 : 0,
    sampleCount: 10,
    currentFrame: Math.floor((FRAMES_PER_CHUNK * progress) / 100),
    expectedOutputFrames: FRAMES_PER_CHUNK,
    latestLogTs: Math.floor(job.startedAt + (job.trace.statuses[position.index]![1] * 1000) / job.speed),
    currentSize: Math.floor((chunkBytes * progress) / 100),
    fps: fps(job),
    progress,
  }));
}

const fps = (job: Job): number => round(FRAMES_PER_CHUNK / Math.max(1, secondsIn(job.trace, 'processing')));
const round = (number: number): number => Math.round(number * 100) / 100;

function chunkId(requestId: string, index: number): string {
  const hex = createHash('sha256').update(`${requestId}/${index}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function readableSize(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${round(bytes / 1000 ** power)} ${units[power]}`;
}
