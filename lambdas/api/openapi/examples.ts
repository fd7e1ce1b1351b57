import { SAMPLE_DATA } from '../../domain/events/event-samples.ts';
import type { EventType } from '../../domain/events/event-types.ts';

const REQUEST_ID = '9f8b6c1e-4c1d-4a53-9b57-0c6a3f1f4d20';
const ENDPOINT_ID = 'ep_afjpyf91dz05v8xtqeqweq3g5q0';
const CALLBACK_ID = 'ep_c2kq9v7m1t4x0yb6rw3e8hsn5dg';
const EVENT_ID = 'msg_06h1m9r49400970y6wj2gjj9pqtbz7kg07thg000000g';
const DELIVERY_ID = 'dlv_01x7k2m9q4v8r3t6w1y5b0d2f7g9h4j8k3m6n1p5q0s2t7v9w4x8y3z6';
const REPLAY_ID = 'rpl_2v8r4t6w1y5b0d2f7g9h4j8k3m';
const SECRET = 'whsec_RXhhbXBsZVNlY3JldE9mQW5FbmRwb2ludDAxMjM0NQ==';
const REGISTERED = '2026-11-23T20:14:31.006Z';
const AT = '2026-11-23T20:15:02.120Z';
const LATER = '2026-11-23T20:21:44.870Z';
const CURSOR = 'eyJhIjoiMDAwMDAxNzk1NDY0ODcx.k3J9';

/** An event of a type, as receivers get it. */
export const eventExample = (type: EventType) => ({
  id: EVENT_ID,
  type,
  timestamp: AT,
  data: SAMPLE_DATA[type],
});

const stored = {
  state: 'stored',
  copiedBytes: 52_428_800,
  size: 52_428_800,
  bucket: 'your-video-bucket',
  key: `videos/${REQUEST_ID}/video.mp4`,
  contentType: 'video/mp4',
  checksum: { algorithm: 'CRC32', value: 'OGEmcA==' },
  storedAt: LATER,
};

const request = {
  requestId: REQUEST_ID,
  state: 'done',
  status: 'complete',
  progress: 100,
  statusSince: LATER,
  sequence: 8,
  registeredAt: REGISTERED,
  lastPolledAt: LATER,
  nextPollAt: null,
  polls: 14,
  estimates: { cost: [10, 12], time: [600, 700] },
  metadata: { order: '42' },
  callbacks: [{ endpointId: CALLBACK_ID, url: 'https://example.com/hooks/topaz', events: ['video.*'] }],
  video: stored,
};

const attempt = {
  at: AT,
  durationMs: 84,
  statusCode: 503,
  reason: 'it answered 503',
  body: 'Service Unavailable',
};

const delivery = {
  id: DELIVERY_ID,
  eventId: EVENT_ID,
  endpointId: ENDPOINT_ID,
  requestId: REQUEST_ID,
  type: 'video.processing',
  timestamp: AT,
  state: 'pending',
  nextAttemptAt: LATER,
  attemptCount: 1,
  attempts: [attempt],
};

const endpoint = {
  id: ENDPOINT_ID,
  kind: 'http',
  url: 'https://example.com/hooks',
  events: ['video.*', 'endpoint.*'],
  description: 'Order service',
  enabled: true,
  rateLimit: 20,
  ordered: false,
  headers: { 'x-team': '***' },
  createdAt: REGISTERED,
  health: { state: 'healthy', lastDeliveredAt: AT },
};

const parked = {
  id: 'prk_1f8b6c1e',
  kind: 'copy',
  reason: 'the bucket is in another region',
  since: AT,
  requestId: REQUEST_ID,
};

const problem = {
  type: 'about:blank',
  title: 'Bad Request',
  status: 400,
  detail: 'requestId: This is not a UUID; give the id that Topaz gave the request.',
  errors: [{ path: 'requestId', message: 'This is not a UUID; give the id that Topaz gave the request.' }],
};

const series = (...values: number[]) =>
  values.map((value, i) => ({
    at: new Date(Date.parse('2026-11-23T20:14:00Z') + i * 60_000).toISOString(),
    value,
  }));

/** An answer for each schema that the document names, by its name. */
export const ANSWER_EXAMPLES: Readonly<Record<string, unknown>> = {
  Problem: problem,
  Event: eventExample('video.processing'),
  EventList: { items: [eventExample('video.processing')] },
  Delivery: delivery,
  DeliveryList: { items: [delivery], cursor: CURSOR },
  ReplayId: { replayId: REPLAY_ID },
  Replay: {
    id: REPLAY_ID,
    endpointId: ENDPOINT_ID,
    state: 'sending',
    matched: 120,
    queued: 120,
    done: 45,
    since: REGISTERED,
    until: LATER,
  },
  Endpoint: endpoint,
  EndpointWithSecret: { ...endpoint, secret: SECRET },
  EndpointList: { items: [endpoint] },
  EventId: { eventId: EVENT_ID },
  UrlTest: { eventId: EVENT_ID, attempt: { at: AT, durationMs: 84, statusCode: 204 } },
  Secret: { secret: SECRET },
  Messages: {
    items: [
      {
        headers: {
          'webhook-id': EVENT_ID,
          'webhook-timestamp': '1795464902',
          'webhook-signature': 'v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=',
        },
        body: JSON.stringify(eventExample('video.stored')),
      },
    ],
  },
  Acknowledged: { acknowledged: 1 },
  Parked: parked,
  ParkedList: { items: [parked] },
  Request: request,
  RequestList: { items: [request], cursor: CURSOR },
  BatchResult: {
    items: [
      { requestId: REQUEST_ID, status: 201 },
      { requestId: 'order-43', status: 400, error: problem },
    ],
  },
  SignedUrl: {
    url: `https://your-video-bucket.s3.us-east-1.amazonaws.com/${stored.key}?X-Amz-Signature=…`,
    expiresAt: LATER,
  },
  Timeline: {
    statuses: [
      { status: 'registered', at: REGISTERED, until: AT },
      { status: 'processing', at: AT, until: LATER, skipped: ['accepted', 'initializing', 'preprocessing'] },
      { status: 'complete', at: LATER },
    ],
    observations: [
      { at: AT, progress: 12 },
      { at: LATER, progress: 100 },
    ],
    polls: 14,
    copy: { state: 'stored', startedAt: LATER, storedAt: LATER, copiedBytes: stored.size, size: stored.size },
    events: [{ id: EVENT_ID, type: 'video.processing', at: AT, sequence: 5 }],
    deliveries: [{ ...delivery, reason: attempt.reason }],
  },
  Health: { status: 'ok' },
  Whoami: { id: 'ada', role: 'admin' },
  Stats: {
    requests: {
      byState: { active: 12, parked: 1, done: 480, stopped: 2 },
      byStatus: { processing: 12, complete: 470, failed: 10, lost: 1 },
      capped: false,
    },
    lanes: { poll: { waiting: 12, overdue: 1, oldestOverdueSeconds: 2, parked: 1 } },
    upstream: { state: 'paused', reason: 'Topaz refuses the key (401)', since: AT, until: LATER },
  },
  History: {
    range: '1h',
    periodSeconds: 60,
    series: {
      polls: series(14, 11),
      transitions: series(3, 2),
      copies: series(1, 0),
      deliveries: series(6, 4),
      failures: series(0, 0),
    },
  },
  Doctor: {
    checks: [
      { name: 'table', state: 'ok', detail: 'The table answers.' },
      {
        name: 'parked',
        state: 'failed',
        detail: '1 piece of work is parked.',
        remedy: 'GET /v1/parked shows the reasons. Remove them, then POST /v1/parked/{id}/release.',
      },
    ],
    version: '0.1.0',
  },
};

const registration = {
  requestId: REQUEST_ID,
  callbackUrl: 'https://example.com/hooks/topaz',
  metadata: { order: '42' },
};

/** A body for each call that takes one, by the call's name. */
export const BODY_EXAMPLES: Readonly<Record<string, unknown>> = {
  registerRequest: registration,
  registerRequests: { items: [registration] },
  createEndpoint: {
    url: endpoint.url,
    events: endpoint.events,
    description: endpoint.description,
    rateLimit: endpoint.rateLimit,
    headers: { 'x-team': 'orders' },
  },
  changeEndpoint: { enabled: true, rateLimit: null },
  rotateEndpointSecret: { overlapHours: 48 },
  testEndpoint: { type: 'video.stored' },
  acknowledgeMessages: { ids: [EVENT_ID] },
  replayDeliveries: { since: REGISTERED, state: 'failed', type: 'video.*' },
  rotateCallbackSecret: { overlapHours: 48 },
};
