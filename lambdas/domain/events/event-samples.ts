import type { EventType } from './event-types.ts';

const REQUEST_ID = '9f8b6c1e-4c1d-4a53-9b57-0c6a3f1f4d20';
const ENDPOINT_ID = 'ep_7f3kq2m5x1';
const METADATA = { order: '42' };
const ESTIMATES = { cost: [10, 12], time: [600, 700] };

/** A change from one status to the next, as number `sequence`. */
const change = (sequence: number, status: string, previousStatus: string | null, more: object = {}) => ({
  requestId: REQUEST_ID,
  sequence,
  status,
  previousStatus,
  ...more,
  metadata: METADATA,
});

/** An endpoint that other endpoints are informed about. */
const ENDPOINT = { endpointId: ENDPOINT_ID, kind: 'http', description: 'orders' };

/** What the `data` of an event of each type may look like; for documents and for tests of receivers. */
export const SAMPLE_DATA: Readonly<Record<EventType, Readonly<Record<string, unknown>>>> = {
  'video.requested': change(1, 'requested', null),
  'video.accepted': change(2, 'accepted', 'requested', { estimates: ESTIMATES }),
  'video.initializing': change(3, 'initializing', 'accepted', { estimates: ESTIMATES }),
  'video.preprocessing': change(4, 'preprocessing', 'initializing', { estimates: ESTIMATES }),
  'video.processing': change(5, 'processing', 'preprocessing', { progress: 12, estimates: ESTIMATES }),
  'video.postprocessing': change(6, 'postprocessing', 'processing', { progress: 98, estimates: ESTIMATES }),
  'video.complete': change(7, 'complete', 'processing', {
    progress: 100,
    skipped: ['postprocessing'],
    estimates: ESTIMATES,
  }),
  'video.canceling': change(6, 'canceling', 'processing', { progress: 40 }),
  'video.canceled': change(7, 'canceled', 'canceling', { progress: 40 }),
  'video.failed': change(6, 'failed', 'processing', {
    progress: 40,
    message: 'Processing failed on a node.',
    errorCode: 'PROCESSING_FAILED',
  }),
  'video.status_unrecognized': change(6, 'reticulating', 'processing', { progress: 40 }),
  'video.stored': {
    requestId: REQUEST_ID,
    sequence: 8,
    status: 'complete',
    video: {
      bucket: 'your-video-bucket',
      key: `videos/${REQUEST_ID}/video.mp4`,
      size: 52_428_800,
      contentType: 'video/mp4',
      checksum: { algorithm: 'CRC32', value: 'OGEmcA==' },
      url: 'https://your-bridge.example/v1/links/AbC…',
      urlExpiresAt: '2026-11-30T20:15:02.120Z',
    },
    metadata: METADATA,
  },
  'video.store_failed': {
    requestId: REQUEST_ID,
    sequence: 8,
    status: 'complete',
    reason: 'Topaz no longer offers a download',
    metadata: METADATA,
  },
  'video.unavailable': change(8, 'complete', 'complete', {
    progress: 100,
    reason: 'Topaz answered "complete" 10 times without a download',
  }),
  'video.lost': change(6, 'lost', 'processing', { progress: 40, reason: 'Topaz does not know the request' }),
  'progress.updated': change(5, 'processing', 'processing', { progress: 47 }),
  'endpoint.test': { endpointId: ENDPOINT_ID, message: 'This is a test.' },
  'endpoint.disabled': {
    ...ENDPOINT,
    reason: 'it has failed for 5 days',
    failingSince: '2026-11-18T20:15:02.120Z',
  },
  'endpoint.recovered': { ...ENDPOINT, failingSince: '2026-11-23T19:02:11.004Z' },
};

/** The `data` of a test; a sample of a type that is not for tests says that it is one. */
export const sampleData = (type: EventType, endpointId: string) => ({
  ...SAMPLE_DATA[type],
  ...(type === 'endpoint.test' ? {} : { test: true }),
  endpointId,
});
