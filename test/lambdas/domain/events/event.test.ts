import { expect, test } from 'vitest';
import { EVENT_LIST, numberEvents, payload } from '../../../../lambdas/domain/events/event.ts';
import { eventId } from '../../../../lambdas/domain/ids.ts';
import { eventKey } from '../../../../lambdas/domain/rows.ts';
import { REQUEST_ID, requestRow, START } from '../../../support/rows.ts';
import { transition } from '../../../support/transition.ts';

const source = { kind: 'request', requestId: REQUEST_ID } as const;

test('events are numbered on from the last, without gaps', () => {
  const drafts = [
    { type: 'video.accepted' as const, data: {} },
    { type: 'video.complete' as const, data: {} },
  ];
  const { rows, counters } = numberEvents(source, { sequence: 4, position: 9 }, drafts, START);
  expect(rows.map((row) => [row.data.sequence, row.position])).toEqual([
    [5, 10],
    [6, 11],
  ]);
  expect(counters).toEqual({ sequence: 6, position: 11, lastEventAt: START });
});

test('an event has its place in the key and in its id, names its request, and says what was observed', () => {
  const drafts = [{ type: 'video.accepted' as const, data: { status: 'accepted' } }];
  const id = eventId({ occurredAt: START, source, position: 10 });
  expect(numberEvents(source, { sequence: 4, position: 9 }, drafts, START)).toEqual({
    rows: [
      {
        ...eventKey(source, 10),
        id,
        type: 'video.accepted',
        occurredAt: START,
        position: 10,
        data: { requestId: REQUEST_ID, sequence: 5, status: 'accepted' },
        listKey: EVENT_LIST,
        listAt: id,
      },
    ],
    counters: { sequence: 5, position: 10, lastEventAt: START },
  });
});

test('an event about an endpoint names it, and has no number for receivers', () => {
  const about = { kind: 'endpoint', endpointId: 'ep_1' } as const;
  const drafts = [{ type: 'endpoint.recovered' as const, data: { kind: 'http' } }];
  const { rows } = numberEvents(about, { sequence: 0, position: 1 }, drafts, START);
  expect(rows).toMatchObject([{ ...eventKey(about, 2), position: 2 }]);
  expect(rows[0]?.data).toEqual({ endpointId: 'ep_1', kind: 'http' });
});

test('a payload is the event as receivers get it, with metadata where there is any', () => {
  const row = { id: 'msg_1', type: 'video.stored', occurredAt: START, data: { sequence: 1 } } as const;
  const sent = { id: 'msg_1', type: 'video.stored', timestamp: new Date(START).toISOString() };
  expect(payload(row)).toEqual({ ...sent, data: { sequence: 1 } });
  expect(payload(row, { order: '42' })).toEqual({
    ...sent,
    data: { sequence: 1, metadata: { order: '42' } },
  });
});

test('progress takes a place but no number, and carries the last one', () => {
  const drafts = [{ type: 'progress.updated' as const, data: { progress: 5 }, numbered: false as const }];
  const { rows, counters } = numberEvents(source, { sequence: 4, position: 9 }, drafts, START);
  expect(rows[0]?.data.sequence).toBe(4);
  expect(counters).toEqual({ sequence: 4, position: 10, lastEventAt: START });
});

test('no event is dated before the last one, though the clock that numbers it is behind', () => {
  const last = { sequence: 4, position: 9, lastEventAt: START + 20_000 };
  const { rows, counters } = numberEvents(source, last, [{ type: 'video.processing', data: {} }], START);
  expect(rows[0]?.occurredAt).toBe(START + 20_000);
  expect(counters.lastEventAt).toBe(START + 20_000);
});

test('no event is dated before its request was registered, though the clock that numbers it is behind', () => {
  const last = { sequence: 0, position: 0, startedAt: START + 500 };
  const { rows } = numberEvents(source, last, [{ type: 'video.requested', data: {} }], START);
  expect(rows[0]?.occurredAt).toBe(START + 500);
});

test.each(['\u0001', '"', '\\', 'ä', '\u{1F600}', 'a'])(
  'a payload stays under 20 kB, though message, code and metadata are as long as can be and all %j',
  (char) => {
    const row = requestRow({ estimates: { cost: [1e15, 1e15], time: [1e15, 1e15] } });
    const answer = { status: 'failed', message: char.repeat(4_096), errorCode: char.repeat(128) };
    const { events } = transition(row, { kind: 'status', status: answer }, START);
    const [event] = numberEvents(source, { sequence: 0, position: 0 }, events, START).rows;
    if (!event) throw new Error('a failed job has an event');
    // 50 pairs of 8 KiB in all, as JSON writes them (registration-schema.ts).
    const each = Math.floor(8_192 / 50 / (Buffer.byteLength(JSON.stringify(char)) - 2));
    const metadata = Object.fromEntries(
      Array.from({ length: 50 }, (_, n) => [`${n}`.padStart(4), char.repeat(each)]),
    );
    const body = JSON.stringify(payload(event, metadata));
    expect(Buffer.byteLength(body)).toBeLessThan(20_000);
    expect(JSON.parse(body).data.message.length).toBeGreaterThan(500);
  },
);

test('a long reason is cut by the bytes that it takes in JSON', () => {
  const drafts = [{ type: 'video.store_failed' as const, data: { reason: '\u0001'.repeat(20_000) } }];
  const { rows } = numberEvents(source, { sequence: 0, position: 0 }, drafts, START);
  expect(Buffer.byteLength(JSON.stringify(rows[0]?.data.reason))).toBeLessThanOrEqual(4_096);
});
