import { ENDPOINT_KINDS } from '../../domain/delivering/endpoint-kinds/endpoint-kinds.ts';
import { EVENT_TYPES } from '../../domain/events/event-types.ts';
import { PARKED_KINDS } from '../parked/parked-view.ts';

/** JSON Schemas (2020-12) of what the API answers. */
type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: 'string' };
const count: Schema = { type: 'integer', minimum: 0 };
const number: Schema = { type: 'number' };
const flag: Schema = { type: 'boolean' };
const time: Schema = { type: 'string', format: 'date-time' };
const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const list = (items: Schema): Schema => ({ type: 'array', items });
const map = (values: Schema): Schema => ({ type: 'object', additionalProperties: values });
const nullable = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] });
const oneOf = (...values: readonly string[]): Schema => ({ type: 'string', enum: values });

/** An object of which the named properties may be missing and all others are there. */
const object = (properties: Readonly<Record<string, Schema>>, ...optional: readonly string[]): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
});
const page = (name: string): Schema => object({ items: list(ref(name)), cursor: text }, 'cursor');

const endpoint: Readonly<Record<string, Schema>> = {
  id: text,
  kind: oneOf(...ENDPOINT_KINDS),
  url: text,
  busName: text,
  events: list(text),
  description: text,
  enabled: flag,
  disabledReason: text,
  rateLimit: number,
  ordered: flag,
  headers: map({ ...text, description: 'Values are write-only.' }),
  createdAt: time,
  health: object(
    { state: oneOf('healthy', 'failing', 'disabled'), failingSince: time, lastDeliveredAt: time },
    'failingSince',
    'lastDeliveredAt',
  ),
};
const ENDPOINT_OPTIONAL = ['url', 'busName', 'disabledReason', 'rateLimit'];

const video = object(
  {
    state: oneOf('pending', 'copying', 'stored', 'failed'),
    copiedBytes: count,
    bytesPerSecond: number,
    bucket: text,
    key: text,
    size: count,
    contentType: text,
    checksum: object({ algorithm: text, value: text }),
    storedAt: time,
    previous: {
      ...object({ bucket: text, key: text }),
      description: 'Where an earlier run of the request stored another video; it stays there.',
    },
    error: text,
    lastError: {
      ...object({ at: time, reason: text }),
      description: 'Why the copy waits; gone when it makes progress.',
    },
  },
  ...[
    'copiedBytes',
    'bytesPerSecond',
    'bucket',
    'key',
    'size',
    'contentType',
    'checksum',
    'storedAt',
    'previous',
    'error',
    'lastError',
  ],
);

const schemas: Readonly<Record<string, Schema>> = {
  Health: object({ status: { const: 'ok' } }),
  OpenApi: { type: 'object' },
  Problem: object(
    {
      type: text,
      title: text,
      status: { type: 'integer' },
      detail: text,
      errors: list(object({ path: text, message: text })),
    },
    'errors',
  ),
  Request: object(
    {
      requestId: { type: 'string', format: 'uuid' },
      state: oneOf('active', 'parked', 'done', 'stopped'),
      status: { ...text, description: 'As upstream names it; "registered" before the first poll.' },
      progress: nullable({ ...number, description: 'Percent.' }),
      statusSince: time,
      sequence: { ...count, description: 'The number of the last event.' },
      registeredAt: time,
      lastPolledAt: nullable(time),
      nextPollAt: nullable(time),
      polls: count,
      estimates: object({ cost: list(number), time: list(number) }, 'cost', 'time'),
      averageFps: number,
      combinedFps: number,
      outputSize: { type: ['number', 'string'] },
      processingJobs: list({ type: 'object' }),
      message: text,
      errorCode: text,
      lastError: {
        ...object({ at: time, reason: text }),
        description: 'Why the last poll gave no answer; gone with the next answer.',
      },
      metadata: map(text),
      callbacks: list(object({ endpointId: text, url: text, events: list(text) })),
      video: nullable(video),
      parked: object({ reason: text, since: time }),
    },
    ...[
      'estimates',
      'averageFps',
      'combinedFps',
      'outputSize',
      'processingJobs',
      'message',
      'errorCode',
      'lastError',
      'parked',
    ],
  ),
  RequestList: page('Request'),
  BatchResult: object({
    items: list(
      object({ requestId: nullable(text), status: { type: 'integer' }, error: ref('Problem') }, 'error'),
    ),
  }),
  Event: object({
    id: text,
    type: oneOf(...EVENT_TYPES),
    timestamp: time,
    data: {
      type: 'object',
      description: 'Only gains fields: ignore those that you do not know.',
      properties: {
        requestId: text,
        sequence: { ...count, description: "Numbers a request's events 1, 2, 3, …" },
        status: text,
        previousStatus: {
          ...nullable(text),
          description: 'The status of the event before; null in the first.',
        },
        skipped: {
          ...list(text),
          description:
            'The statuses between the two that no poll saw, in the order that upstream documents; only when it went forward.',
        },
      },
    },
  }),
  EventList: page('Event'),
  EventId: object({ eventId: text }),
  SignedUrl: object({ url: text, expiresAt: time }),
  Endpoint: object(endpoint, ...ENDPOINT_OPTIONAL),
  EndpointWithSecret: object({ ...endpoint, secret: text }, ...ENDPOINT_OPTIONAL),
  EndpointList: page('Endpoint'),
  Secret: object({ secret: text, previous: object({ secret: text, expiresAt: time }) }, 'previous'),
  Delivery: object(
    {
      id: text,
      eventId: text,
      endpointId: text,
      requestId: text,
      type: text,
      state: oneOf('pending', 'held', 'delivered', 'failed', 'canceled'),
      nextAttemptAt: time,
      attemptCount: { type: 'integer', description: 'All there were; `attempts` holds the last ones.' },
      attempts: list(
        object(
          { at: time, durationMs: number, statusCode: { type: 'integer' }, error: text, body: text },
          ...['statusCode', 'error', 'body'],
        ),
      ),
    },
    'requestId',
    'nextAttemptAt',
  ),
  DeliveryList: page('Delivery'),
  Timeline: object({
    statuses: list(
      object({ status: text, at: time, until: time, skipped: list(text) }, ...['until', 'skipped']),
    ),
    observations: {
      ...list(object({ at: time, progress: number })),
      description: 'At most 200 points of the progress; thinned so that the shape stays.',
    },
    polls: count,
    copy: nullable(
      object(
        {
          state: oneOf('pending', 'copying', 'stored', 'failed'),
          startedAt: time,
          storedAt: time,
          copiedBytes: count,
          bytesPerSecond: number,
          size: count,
          error: text,
        },
        ...['startedAt', 'storedAt', 'copiedBytes', 'bytesPerSecond', 'size', 'error'],
      ),
    ),
    events: list(object({ id: text, type: text, at: time, sequence: count })),
    deliveries: list({
      allOf: [
        ref('Delivery'),
        object({ reason: { ...text, description: 'Why it has not arrived, in words.' } }, 'reason'),
      ],
    }),
  }),
  Messages: object({
    items: list(
      object({
        headers: { ...map(text), description: 'Those of Standard Webhooks, which sign the body.' },
        body: { ...text, description: 'The bytes that were signed: verify before you parse.' },
      }),
    ),
  }),
  Acknowledged: object({ acknowledged: count }),
  ReplayId: object({ replayId: text }),
  Replay: object({
    id: text,
    endpointId: text,
    state: oneOf('queueing', 'sending', 'done'),
    matched: count,
    queued: count,
    done: count,
    since: time,
    until: time,
  }),
  Doctor: object({
    checks: list(
      object({ name: text, state: oneOf('ok', 'warning', 'failed'), detail: text, remedy: text }, 'remedy'),
    ),
  }),
  History: object({
    range: oneOf('1h', '24h', '7d'),
    periodSeconds: count,
    series: object(
      Object.fromEntries(
        ['polls', 'transitions', 'copies', 'deliveries', 'failures'].map((name) => [
          name,
          list(object({ at: time, value: number })),
        ]),
      ),
    ),
  }),
  Parked: object(
    {
      id: text,
      kind: {
        ...oneOf(...Object.keys(PARKED_KINDS)),
        description: Object.entries(PARKED_KINDS)
          .map(([kind, meaning]) => `${kind}: ${meaning}`)
          .join('; '),
      },
      reason: text,
      since: time,
      requestId: text,
      endpointId: text,
      deliveryId: text,
      replayId: text,
    },
    ...['requestId', 'endpointId', 'deliveryId', 'replayId'],
  ),
  ParkedList: page('Parked'),
  Stats: object({
    requests: object({ byState: map(count), byStatus: map(count), capped: flag }),
    lanes: map(
      object(
        { waiting: count, overdue: count, oldestOverdueSeconds: count, parked: count, capped: flag },
        'capped',
      ),
    ),
    upstream: object(
      { state: oneOf('ok', 'paused'), reason: text, since: time, until: time },
      ...['reason', 'since', 'until'],
    ),
  }),
};

export const components = {
  schemas,
  responses: {
    Problem: {
      description: 'What is wrong, and what to do (RFC 9457).',
      content: { 'application/problem+json': { schema: ref('Problem') } },
    },
  },
};
