import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { check } from './checker.ts';
import type { DeliveryView, EndpointStory, EventView, History, RequestStory } from './history.ts';
import type { Received } from './receivers.ts';

const START = Date.parse('2026-11-23T20:00:00Z');
const ID = '6f2c8f0e-0f4b-4a4e-9d36-1b2c3d4e5f60';
const KEY = `videos/${ID}/video.mp4`;
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const URL = 'https://steady.example/hook';
const MINUTE = 60_000;

const VIDEO = { key: KEY, size: 10, checksum: { algorithm: 'CRC32', value: 'crc' } };
const CALLBACK = { endpointId: 'ep_callback', url: 'https://callback.example/1', events: ['video.complete'] };

const SCRIPT = [
  ['requested', 0],
  ['accepted', 1],
  ['processing', 2],
  ['complete', 3],
] as const;

/** A run in which all went well: a request with an endpoint, its video stored, a test of the endpoint. */
function goodHistory() {
  const events = [
    event(1, 'video.requested', { status: 'requested', previousStatus: null }),
    event(2, 'video.processing', {
      status: 'processing',
      previousStatus: 'requested',
      skipped: ['accepted', 'initializing', 'preprocessing'],
    }),
    event(3, 'video.complete', {
      status: 'complete',
      previousStatus: 'processing',
      skipped: ['postprocessing'],
    }),
    event(4, 'video.stored', { video: VIDEO }),
  ];
  const request: Mutable<RequestStory> = {
    requestId: ID,
    script: SCRIPT.map(([status, minutes]) => [status, START + minutes * MINUTE] as const),
    isOrderly: true,
    copy: true,
    video: { size: 10, sha256: 'ab' },
    isServed: true,
    metadata: { order: '1' },
    commands: [],
    callbacks: [{ url: CALLBACK.url, events: [...CALLBACK.events], at: START }],
    view: {
      state: 'done',
      status: 'complete',
      sequence: 4,
      metadata: { order: '1' },
      callbacks: [{ ...CALLBACK, events: [...CALLBACK.events] }],
      video: { state: 'stored', key: KEY, size: 10 },
    },
    events,
  };
  const endpoint: Mutable<EndpointStory> = {
    id: 'ep_a',
    kind: 'http',
    url: URL,
    filter: ['video.*'],
    ordered: true,
    steady: true,
    createdAt: START - 5 * MINUTE,
    deletedAt: undefined,
    secrets: [SECRET],
    deliveries: events.map(delivery),
  };
  const history: Mutable<History> = {
    clocksApartMs: MINUTE,
    promptMs: 2 * MINUTE,
    sendsOnce: true,
    calmAt: START + 10 * MINUTE,
    quietAt: START + 20 * MINUTE,
    requests: [request],
    endpoints: [endpoint],
    received: events.map((each) => webhook(each)),
    storedWhenReceived: [{ webhook: 'msg_4', there: true }],
    bucket: { objects: [{ key: KEY, size: 10, sha256: 'ab', checksum: 'crc' }], uploads: [] },
    unfinishedRows: [],
    lateRows: [],
    rows: [{ pk: `REQ#${ID}`, sk: 'REQUEST' }],
    said: [{ where: 'log', text: 'polled' }],
    secrets: [{ name: 'the key', value: 'hush', rows: '^SAFE ' }],
    stored: [{ where: 'SAFE KEY', text: '{"key":"hush"}' }],
  };
  return { history, request, endpoint, events };
}

/** What a test may spoil. */
type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;
type Broken = ReturnType<typeof goodHistory>;

function event(sequence: number, type: string, data: Record<string, unknown>): Mutable<EventView> {
  return {
    id: `msg_${sequence}`,
    type,
    timestamp: new Date(START + sequence * MINUTE).toISOString(),
    data: { requestId: ID, sequence, ...data },
  };
}

function delivery({ id, type }: EventView): Mutable<DeliveryView> {
  return {
    id: `dlv_${id}`,
    eventId: id,
    requestId: ID,
    type,
    state: 'delivered',
    attemptCount: 1,
    attempts: [],
  };
}

function webhook(payload: EventView, changes: Partial<Received> = {}): Mutable<Received> {
  const at = Date.parse(payload.timestamp) + 1_000;
  const body = JSON.stringify(payload);
  const headers = {
    'webhook-id': payload.id,
    'webhook-timestamp': String(Math.floor(at / 1_000)),
    'webhook-signature': new Webhook(SECRET).sign(payload.id, new Date(at), body),
  };
  return { at, url: URL, headers, body, answer: 200, ...changes };
}

/** The invariants that a history breaks, each once. */
const broken = (history: History) => [...new Set(check(history).map(({ invariant }) => invariant))];

test('a run in which all went well breaks no promise', () => {
  expect(check(goodHistory().history)).toEqual([]);
});

type Case = [name: string, spoil: (good: Broken) => void];

describe.each<[invariant: number, cases: Case[]]>([
  [
    1,
    [
      ['a number is missing', ({ request }) => request.events.splice(1, 1)],
      [
        'a number is there twice',
        ({ request, events }) => request.events.push({ ...events[3]!, id: 'msg_5' }),
      ],
      ['the view counts other events', ({ request }) => Object.assign(request.view!, { sequence: 5 })],
      [
        'an event names another status before it',
        ({ events }) => Object.assign(events[2]!.data, { previousStatus: 'accepted' }),
      ],
      [
        'a status is told that upstream never had',
        ({ events }) => Object.assign(events[1]!.data, { status: 'preprocessing' }),
      ],
      [
        'a status is told before upstream had it',
        ({ events }) => Object.assign(events[2]!, { timestamp: new Date(START - 10 * MINUTE).toISOString() }),
      ],
      [
        'a status that no poll saw is hidden',
        ({ events }) => Object.assign(events[1]!.data, { skipped: undefined }),
      ],
      [
        'events go back in time',
        ({ events }) => Object.assign(events[3]!, { timestamp: events[0]!.timestamp }),
      ],
      ['a callback is forgotten', ({ request }) => request.view!.callbacks.pop()],
      [
        'registering again resets the metadata',
        ({ request }) => Object.assign(request.view!, { metadata: {} }),
      ],
    ],
  ],
  [
    2,
    [
      [
        'an old answer is told after a newer one',
        ({ request, events, endpoint, history }) => {
          const late = event(5, 'video.processing', { status: 'processing', previousStatus: 'complete' });
          events.push(late);
          Object.assign(request.view!, { sequence: 5, status: 'processing' });
          endpoint.deliveries = events.map(delivery);
          (history.received as Received[]).push(webhook(late));
        },
      ],
      [
        'the view says another status than the last event',
        ({ request }) => Object.assign(request.view!, { status: 'processing' }),
      ],
      ['a stopped request goes on', ({ request }) => request.commands.push({ at: START, kind: 'stop' })],
      [
        'a purged request is still shown',
        ({ request }) => request.commands.push({ at: START, kind: 'purge' }),
      ],
      [
        'a registered request is unknown',
        ({ request }) => Object.assign(request, { view: undefined, events: [] }),
      ],
    ],
  ],
  [
    3,
    [
      ['an event has no delivery', ({ endpoint }) => endpoint.deliveries.splice(1, 1)],
      ['an event has two deliveries', ({ endpoint }) => endpoint.deliveries.push(endpoint.deliveries[0]!)],
      [
        'a delivery is pending for good',
        ({ endpoint }) => Object.assign(endpoint.deliveries[0]!, { state: 'pending' }),
      ],
      [
        'a delivery is canceled though its endpoint exists',
        ({ endpoint }) => Object.assign(endpoint.deliveries[0]!, { state: 'canceled' }),
      ],
      [
        'a delivery fails before its schedule ends',
        ({ endpoint }) => Object.assign(endpoint.deliveries[0]!, { state: 'failed', attemptCount: 9 }),
      ],
      [
        'a delivery is called delivered and was not',
        ({ history }) => Object.assign(history.received[0]!, { answer: 500 }),
      ],
      ['a filter is ignored', ({ endpoint }) => Object.assign(endpoint, { filter: ['video.complete'] })],
      [
        'an attempt has another id',
        ({ history, events }) =>
          (history.received as Received[]).push(
            webhook({ ...events[0]!, id: 'msg_9' }, { headers: history.received[0]!.headers }),
          ),
      ],
      [
        'an attempt has another payload',
        ({ history, events }) =>
          (history.received as Received[]).push(webhook({ ...events[0]!, type: 'video.accepted' })),
      ],
      [
        'a webhook is not signed by its endpoint',
        ({ endpoint }) =>
          Object.assign(endpoint, { secrets: [`whsec_${Buffer.alloc(32, 8).toString('base64')}`] }),
      ],
      [
        'a webhook goes to a stranger',
        ({ history, events }) =>
          (history.received as Received[]).push(webhook(events[0]!, { url: 'https://stranger.example/' })),
      ],
      [
        'a failed attempt has an id of its own',
        ({ history, events }) =>
          (history.received as Received[]).push(webhook({ ...events[0]!, id: 'msg_9' }, { answer: 500 })),
      ],
      [
        'a webhook says something else than its event',
        ({ events }) => Object.assign(events[1]!.data, { progress: 40 }),
      ],
      [
        'a webhook goes to an endpoint that has no delivery of it',
        ({ endpoint }) => {
          endpoint.deliveries.pop();
          Object.assign(endpoint, { filter: ['video.requested', 'video.processing', 'video.complete'] });
        },
      ],
      [
        'a webhook comes again without cause',
        ({ history, events }) => (history.received as Received[]).push(webhook(events[0]!)),
      ],
      [
        'an ordered endpoint gets events out of order',
        ({ history }) => Object.assign(history.received[0]!, { at: START + 5 * MINUTE }),
      ],
    ],
  ],
  [
    4,
    [
      ['a stored video is not there', ({ history }) => Object.assign(history.bucket, { objects: [] })],
      [
        'a stored video has other bytes',
        ({ history }) => Object.assign(history.bucket.objects[0]!, { sha256: 'cd' }),
      ],
      [
        'video.stored is sent before the object is there',
        ({ history }) => Object.assign(history.storedWhenReceived[0]!, { there: false }),
      ],
      [
        'the bucket has not verified the checksum',
        ({ history }) => Object.assign(history.bucket.objects[0]!, { checksum: undefined }),
      ],
      [
        'a copy ends in silence',
        ({ request, history }) => {
          request.events.pop();
          Object.assign(request.view!, { sequence: 3, video: null });
          Object.assign(history.bucket, { objects: [] });
        },
      ],
      [
        'a video that was served is given up',
        ({ request, history }) => {
          Object.assign(request.view!.video!, { state: 'failed' });
          Object.assign(request.events[3]!, { type: 'video.store_failed' });
          Object.assign(history.bucket, { objects: [] });
        },
      ],
      ['an upload is left', ({ history }) => history.bucket.uploads.push(KEY)],
      [
        'an object is left that no event tells of',
        ({ history }) =>
          history.bucket.objects.push({ key: `videos/${ID}/video-2.mp4`, size: 1, sha256: '', checksum: '' }),
      ],
    ],
  ],
  [
    5,
    [
      ['the work never ends', ({ history }) => Object.assign(history, { quietAt: undefined })],
      ['a row is left', ({ history }) => history.unfinishedRows.push({ pk: 'A', sk: 'B', lane: 'poll' })],
      ['a request is active for good', ({ request }) => Object.assign(request.view!, { state: 'active' })],
      [
        'nobody takes up what is due',
        ({ history }) => history.lateRows.push({ pk: 'A', sk: 'B', lane: 'poll', lateMs: 121_000 }),
      ],
    ],
  ],
  [
    7,
    [
      ['a secret is in a log', ({ history }) => history.said.push({ where: 'log', text: 'the key is hush' })],
      [
        'a secret is in a webhook',
        ({ history }) => Object.assign(history.secrets[0]!, { value: 'requested' }),
      ],
      [
        'a secret is in a header of a webhook',
        ({ history }) => Object.assign(history.received[0]!.headers, { 'x-note': 'hush' }),
      ],
      [
        'a row that is not for it holds a secret',
        ({ history }) => history.stored.push({ where: 'REQ#1 REQUEST', text: 'hush' }),
      ],
    ],
  ],
  [
    8,
    [
      [
        'an endpoint that is well waits for others',
        ({ history, events }) =>
          Object.assign(history, {
            received: events.map((each) => webhook(each, { at: Date.parse(each.timestamp) + 3 * MINUTE })),
          }),
      ],
    ],
  ],
])('invariant %i', (invariant, cases) => {
  test.each(cases)('is broken when %s', (_name, spoil) => {
    const good = goodHistory();
    spoil(good);
    expect(broken(good.history)).toContain(invariant);
  });
});

/** Every sentence that the checker has, each with a history that it must say it of. */
const SENTENCES: readonly [sentence: string, spoil: (good: Broken) => unknown][] = [
  ['has the events 1,3,4', ({ request }) => request.events.splice(1, 1)],
  ['counts 5 events and has 4', ({ request }) => Object.assign(request.view!, { sequence: 5 })],
  [
    'progress.updated does not carry the last number',
    ({ request }) => request.events.push(event(9, 'progress.updated', { status: 'complete' })),
  ],
  [
    'has events that go back in time',
    ({ events }) => Object.assign(events[3]!, { timestamp: events[0]!.timestamp }),
  ],
  ['has two events of one id', ({ events }) => Object.assign(events[3]!, { id: events[2]!.id })],
  [
    'follows accepted, not requested',
    ({ events }) => Object.assign(events[1]!.data, { previousStatus: 'accepted' }),
  ],
  ['video.processing says complete', ({ events }) => Object.assign(events[1]!.data, { status: 'complete' })],
  [
    'upstream never said preprocessing',
    ({ events }) => Object.assign(events[1]!.data, { status: 'preprocessing' }),
  ],
  [
    'video.complete came before upstream said so',
    ({ events }) => Object.assign(events[2]!, { timestamp: new Date(START - 10 * MINUTE).toISOString() }),
  ],
  [
    'has 2 events of processing in 1 run(s)',
    ({ events }) =>
      events.push(event(5, 'video.processing', { status: 'processing', previousStatus: 'complete' })),
  ],
  [
    'went back: requested,processing,accepted',
    ({ request, events }) => {
      request.events = [
        ...events.slice(0, 2),
        event(3, 'video.accepted', { status: 'accepted', previousStatus: 'processing' }),
      ];
    },
  ],
  ['video.processing hides accepted', ({ events }) => Object.assign(events[1]!.data, { skipped: undefined })],
  ['has lost its callback https://callback.example/1', ({ request }) => request.view!.callbacks.pop()],
  [
    'the callback https://callback.example/1 gets video.*, not video.complete',
    ({ request }) => Object.assign(request.view!.callbacks[0]!, { events: ['video.*'] }),
  ],
  ['has the metadata {}', ({ request }) => Object.assign(request.view!, { metadata: {} })],
  [
    'ended 2 times with 0 restart(s)',
    ({ events }) => events.push(event(5, 'video.failed', { status: 'failed', previousStatus: 'complete' })),
  ],
  [
    'went on after its end without a restart',
    ({ events }) =>
      events.push(event(5, 'video.accepted', { status: 'accepted', previousStatus: 'complete' })),
  ],
  [
    'is processing, its last event says complete',
    ({ request }) => Object.assign(request.view!, { status: 'processing' }),
  ],
  [
    'is done as complete, upstream said failed',
    ({ request }) => request.script.push(['failed', START + 9 * MINUTE] as never),
  ],
  ['was purged and is still shown', ({ request }) => request.commands.push({ at: START, kind: 'purge' })],
  [
    'was purged and has rows',
    ({ request }) => {
      request.commands.push({ at: START, kind: 'purge' });
      Object.assign(request, { view: undefined });
    },
  ],
  [
    'was purged and has deliveries at ep_a',
    ({ request }) => {
      request.commands.push({ at: START, kind: 'purge' });
      Object.assign(request, { view: undefined });
    },
  ],
  ['was registered and is not known', ({ request }) => Object.assign(request, { view: undefined })],
  ['was stopped and is done', ({ request }) => request.commands.push({ at: START, kind: 'stop' })],
  [
    'was stopped and has new events: video.complete,video.stored',
    ({ request }) => request.commands.push({ at: START + MINUTE, kind: 'stop' }),
  ],
  [
    'ep_a was sent video.requested, which its filter leaves out',
    ({ endpoint }) => Object.assign(endpoint, { filter: ['video.complete'] }),
  ],
  ['ep_a has no delivery of video.processing 2', ({ endpoint }) => endpoint.deliveries.splice(1, 1)],
  [
    'ep_a has two deliveries of one event',
    ({ endpoint }) => endpoint.deliveries.push(endpoint.deliveries[0]!),
  ],
  ['has no event', ({ endpoint }) => Object.assign(endpoint.deliveries[0]!, { eventId: 'msg_9' })],
  ['is pending for good', ({ endpoint }) => Object.assign(endpoint.deliveries[0]!, { state: 'pending' })],
  ['is held for good', ({ endpoint }) => Object.assign(endpoint.deliveries[0]!, { state: 'held' })],
  ['is lost for good', ({ endpoint }) => Object.assign(endpoint.deliveries[0]!, { state: 'lost' })],
  ['is canceled', ({ endpoint }) => Object.assign(endpoint.deliveries[0]!, { state: 'canceled' })],
  [
    'failed after 9 attempts',
    ({ endpoint }) => Object.assign(endpoint.deliveries[0]!, { state: 'failed', attemptCount: 9 }),
  ],
  [
    'is called delivered, and was not',
    ({ history }) => Object.assign(history.received[0]!, { answer: 'timeout' }),
  ],
  [
    'went to an address of no endpoint',
    ({ history, events }) =>
      (history.received as Received[]).push(webhook(events[0]!, { url: 'https://stranger.example/' })),
  ],
  [
    'has another id in its body',
    ({ history, events }) =>
      (history.received as Received[]).push(
        webhook({ ...events[0]!, id: 'msg_9' }, { headers: history.received[0]!.headers }),
      ),
  ],
  ['is not signed', ({ endpoint }) => Object.assign(endpoint, { secrets: [] })],
  [
    'differs from its first attempt',
    ({ history, events }) =>
      (history.received as Received[]).push(webhook({ ...events[0]!, type: 'video.accepted' })),
  ],
  ['tells of no event', ({ events }) => Object.assign(events[0]!, { id: 'msg_9' })],
  ['says something else than its event', ({ events }) => Object.assign(events[0]!.data, { progress: 1 })],
  ['belongs to no delivery', ({ endpoint }) => endpoint.deliveries.pop()],
  ['was sent 2 times', ({ history, events }) => (history.received as Received[]).push(webhook(events[0]!))],
  ['got the events of', ({ history }) => Object.assign(history.received[0]!, { at: START + 5 * MINUTE })],
  ['where nothing is', ({ history }) => Object.assign(history.bucket, { objects: [] })],
  [
    'has other bytes than upstream',
    ({ history }) => Object.assign(history.bucket.objects[0]!, { sha256: 'cd' }),
  ],
  ['says 9 bytes, not 10', ({ events }) => Object.assign(events[3]!.data, { video: { key: KEY, size: 9 } })],
  [
    'has the checksum undefined, not crc',
    ({ history }) => Object.assign(history.bucket.objects[0]!, { checksum: undefined }),
  ],
  [
    'has video.stored,video.store_failed and 0 restart(s)',
    ({ events }) => events.push(event(5, 'video.store_failed', { status: 'complete' })),
  ],
  ['is complete, and no event tells of its copy', ({ request }) => request.events.pop()],
  [
    'is not stored, though its source served it',
    ({ request }) => Object.assign(request.view!.video!, { state: 'failed' }),
  ],
  ['was copied without being asked for', ({ request }) => Object.assign(request, { copy: false })],
  ['is stored without an event', ({ request }) => request.events.pop()],
  [
    'is done and its copy is copying',
    ({ request }) => Object.assign(request.view!.video!, { state: 'copying' }),
  ],
  [
    'is done and its copy is pending',
    ({ request }) => Object.assign(request.view!.video!, { state: 'pending' }),
  ],
  [
    'told of a video that was not there yet',
    ({ history }) => Object.assign(history.storedWhenReceived[0]!, { there: false }),
  ],
  ['was never ended', ({ history }) => history.bucket.uploads.push(KEY)],
  [
    'belongs to no request',
    ({ history }) =>
      history.bucket.objects.push({ key: 'videos/other/video.mp4', size: 1, sha256: '', checksum: '' }),
  ],
  [
    'is there, and no event told of it',
    ({ history }) =>
      history.bucket.objects.push({ key: `videos/${ID}/video-2.mp4`, size: 1, sha256: '', checksum: '' }),
  ],
  ['the work never comes to its end', ({ history }) => Object.assign(history, { quietAt: undefined })],
  [
    'A B is left in lane poll, claimed',
    ({ history }) => history.unfinishedRows.push({ pk: 'A', sk: 'B', lane: 'poll', owner: 'n' }),
  ],
  ['is active for good', ({ request }) => Object.assign(request.view!, { state: 'active' })],
  ['is parked for good', ({ request }) => Object.assign(request.view!, { state: 'parked' })],
  [
    'A B waits in lane poll for 121 s after its time',
    ({ history }) => history.lateRows.push({ pk: 'A', sk: 'B', lane: 'poll', lateMs: 121_000 }),
  ],
  ['the key is in log', ({ history }) => history.said.push({ where: 'log', text: 'the key is hush' })],
  ['the key is in a webhook to', ({ history }) => Object.assign(history.secrets[0]!, { value: 'requested' })],
  [
    'the key is in REQ#1 REQUEST',
    ({ history }) => history.stored.push({ where: 'REQ#1 REQUEST', text: 'hush' }),
  ],
  ['the key is in SAFE KEY', ({ history }) => Object.assign(history.secrets[0]!, { rows: undefined })],
  [
    'got video.requested of',
    ({ history }) => Object.assign(history.received[0]!, { at: START + 4 * MINUTE }),
  ],
];

test.each(SENTENCES)('the checker says of a broken history: %s', (sentence, spoil) => {
  const good = goodHistory();
  spoil(good);
  expect(check(good.history).map(({ what }) => what)).toContainEqual(expect.stringContaining(sentence));
});

test.each<[string, (good: Broken) => unknown]>([
  [
    'an ordered endpoint that got an event after the whole schedule of the one before',
    ({ endpoint, history }) => {
      Object.assign(endpoint.deliveries[0]!, { attemptCount: 10 });
      Object.assign(history.received[0]!, { at: START + 150_000 });
    },
  ],
  [
    'an endpoint that was made after an event, or deleted before it',
    ({ endpoint, history }) => {
      Object.assign(endpoint, { createdAt: START + 90 * MINUTE, deliveries: [] });
      Object.assign(history, { received: [] });
    },
  ],
  [
    'a second run of a job that was restarted',
    ({ request, events, endpoint, history }) => {
      request.commands.push({ at: START + 5 * MINUTE, kind: 'restart' });
      const again = event(5, 'video.requested', { status: 'requested', previousStatus: 'complete' });
      const end = event(6, 'video.complete', {
        status: 'complete',
        previousStatus: 'requested',
        skipped: ['accepted', 'initializing', 'preprocessing', 'processing', 'postprocessing'],
      });
      events.push(again, end);
      Object.assign(request.view!, { sequence: 6 });
      endpoint.deliveries = events.map(delivery);
      (history.received as Received[]).push(webhook(again), webhook(end));
    },
  ],
  [
    'a link that is new at each attempt',
    ({ history, events }) => {
      const data = { ...events[3]!.data, video: { ...VIDEO, url: 'https://b.example/v1/links/2' } };
      Object.assign(history, {
        received: [...history.received.slice(0, 3), webhook({ ...events[3]!, data })],
      });
    },
  ],
  [
    'a webhook that comes again, since a worker died or a person asked for it',
    ({ history, events }) => {
      Object.assign(history, { sendsOnce: false });
      (history.received as Received[]).push(webhook(events[0]!));
    },
  ],
  [
    'a video that its source did not serve',
    ({ request, history, endpoint }) => {
      Object.assign(request, { isServed: false });
      Object.assign(request.view!.video!, { state: 'failed' });
      Object.assign(request.events[3]!, { type: 'video.store_failed' });
      Object.assign(history.bucket, { objects: [] });
      endpoint.deliveries = request.events.map(delivery);
      Object.assign(history, { received: request.events.map((each) => webhook(each)) });
    },
  ],
])('the checker takes for whole: %s', (_name, spoil) => {
  const good = goodHistory();
  spoil(good);
  expect(check(good.history)).toEqual([]);
});
