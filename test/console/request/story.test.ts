import { expect, test } from 'vitest';
import type { Timeline, VideoRequest } from '../../../client/client.ts';
import { storyOf } from '../../../console/request/story.ts';

const at = (second: number) => new Date(Date.UTC(2026, 10, 23, 20, 0, second)).toISOString();
const NOW = Date.parse(at(50));

const request = {
  requestId: '9f8b6c1e-4c1d-4a53-9b57-0c6a3f1f4d20',
  state: 'active',
  registeredAt: at(0),
  callbacks: [],
} as unknown as VideoRequest;

const delivery = {
  id: 'dlv_1',
  eventId: 'msg_1',
  endpointId: 'ep_1',
  type: 'video.complete',
  timestamp: at(30),
  state: 'pending',
  nextAttemptAt: at(90),
  attemptCount: 5,
  attempts: [{ at: at(31), durationMs: 12, statusCode: 500, reason: 'the endpoint answered 500' }],
} as const;

const timeline: Timeline = {
  statuses: [
    { status: 'registered', at: at(0), until: at(5) },
    { status: 'processing', at: at(5), until: at(30), skipped: ['accepted', 'initializing'] },
    { status: 'complete', at: at(30) },
  ],
  observations: [{ at: at(33), progress: 100 }],
  polls: 3,
  copy: {
    state: 'copying',
    startedAt: at(30),
    copiedBytes: 5_000_000,
    size: 10_000_000,
    bytesPerSecond: 1e6,
  },
  events: [{ id: 'msg_1', type: 'video.complete', at: at(30), sequence: 2 }],
  deliveries: [{ ...delivery, attempts: [...delivery.attempts] }],
};

const story = storyOf(request, timeline, [{ id: 'ep_1', description: 'The shop' }], NOW);
const lane = (id: string) => story.lanes.find((each) => each.id === id)?.marks ?? [];

test('waiting is told from working, and skipped statuses are hollow', () => {
  expect(lane('status').map(({ text, shape, look }) => [text, shape, look])).toEqual([
    ['Registered', 'bar', 'stage-early is-waiting'],
    ['Accepted (no poll saw it)', 'hollow', 'stage-early'],
    ['Initializing (no poll saw it)', 'hollow', 'stage-early'],
    ['Processing', 'bar', 'stage-work'],
    ['Complete', 'dot', 'stage-done'],
  ]);
});

test('a copy that goes on reaches to the present, with its speed', () => {
  expect(lane('copy')).toMatchObject([{ until: NOW, detail: '5.0 MB of 10.0 MB, 1.0 MB/s' }]);
});

test('attempts stand in the lane of their endpoint, numbered as they were made, with the wait for the next', () => {
  expect(story.lanes.at(-1)?.name).toBe('The shop');
  expect(lane('ep_1')).toMatchObject([
    { shape: 'bar', look: 'is-waiting', until: NOW },
    { look: 'is-bad', text: 'video.complete: the endpoint answered 500', detail: 'attempt 5, took 12 ms' },
  ]);
});

test('what was delivered, and is delivered again by a replay, failed at neither attempt', () => {
  const attempts = [31, 60].map((s) => ({ at: at(s), durationMs: 12, statusCode: 204 }));
  const replayed = { ...delivery, state: 'delivered' as const, nextAttemptAt: undefined, attempts };
  const { lanes } = storyOf(request, { ...timeline, deliveries: [replayed] }, [], NOW);
  expect(lanes.at(-1)?.marks.map(({ shape, look }) => [shape, look])).toEqual([
    ['dot', 'is-good'],
    ['dot', 'is-good'],
  ]);
});

test('what is held, or was not fetched yet, waits since its event', () => {
  const held = {
    ...delivery,
    state: 'held' as const,
    nextAttemptAt: undefined,
    attemptCount: 0,
    attempts: [],
  };
  const reason = 'the endpoint is disabled';
  const { lanes } = storyOf(
    { ...request, state: 'done' },
    { ...timeline, deliveries: [{ ...held, reason }] },
    [],
    NOW,
  );
  expect(lanes.at(-1)?.marks).toMatchObject([
    { shape: 'bar', look: 'is-waiting', at: Date.parse(at(30)), until: NOW, detail: reason },
  ]);
});

test('each poll that saw something is a point, and so is the last one', () => {
  const { lanes } = storyOf({ ...request, lastPolledAt: at(45) }, timeline, [], NOW);
  expect(lanes.find(({ id }) => id === 'polls')).toMatchObject({
    name: 'Polls (3 in all)',
    marks: [
      { at: Date.parse(at(5)), detail: 'saw processing' },
      { at: Date.parse(at(30)), detail: 'saw complete, 100 %' },
      { at: Date.parse(at(45)), detail: 'saw nothing new' },
    ],
  });
});

test('a wait ends with the attempt that arrives', () => {
  const attempts = [
    { at: at(31), durationMs: 12, statusCode: 500, reason: 'the endpoint answered 500' },
    { at: at(60), durationMs: 12, statusCode: 204 },
    { at: at(90), durationMs: 12, statusCode: 204 },
  ];
  const replayed = { ...delivery, state: 'delivered' as const, nextAttemptAt: undefined, attempts };
  const { lanes } = storyOf(request, { ...timeline, deliveries: [replayed] }, [], NOW);
  const [wait] = lanes.at(-1)?.marks ?? [];
  expect(wait).toMatchObject({ shape: 'bar', at: Date.parse(at(31)), until: Date.parse(at(60)) });
});

test('no progress is drawn after the end of the job', () => {
  expect(story.progress).toEqual([{ at: Date.parse(at(30)), progress: 100 }]);
});

test('progress after a restart is drawn where it was seen', () => {
  const statuses: Timeline['statuses'] = [
    { status: 'registered', at: at(0), until: at(5) },
    { status: 'lost', at: at(5), until: at(20) },
    { status: 'registered', at: at(20), until: at(25) },
    { status: 'processing', at: at(25) },
  ];
  const observations = [{ at: at(33), progress: 40 }];
  const { progress } = storyOf(request, { ...timeline, statuses, observations }, [], NOW);
  expect(progress).toEqual([{ at: Date.parse(at(33)), progress: 40 }]);
});
