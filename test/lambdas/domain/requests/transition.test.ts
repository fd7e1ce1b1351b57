import { describe, expect, test } from 'vitest';
import type { RequestRow, UpstreamStatus } from '../../../../lambdas/domain/requests/request.ts';
import {
  DOWNLOAD_MS,
  DOWNLOAD_TRIES,
  NOT_FOUND_TRIES,
  type PollOutcome,
} from '../../../../lambdas/domain/requests/transition.ts';
import { requestRow, START } from '../../../support/rows.ts';
import { TRANSITION_SETTINGS, transition } from '../../../support/transition.ts';

const { notFoundMs, pendingMs } = TRANSITION_SETTINGS;
const says = (status: string, more: Partial<UpstreamStatus> = {}): PollOutcome => ({
  kind: 'status',
  status: { status, ...more },
});
const NOT_FOUND: PollOutcome = { kind: 'not-found' };
const FAULT: PollOutcome = { kind: 'fault', reason: 'timed out' };
const DOWNLOAD = { url: 'https://storage.example/video.mp4?sig=1', expiresAt: START + 86_400_000 };
const processing = requestRow({ status: 'processing', sequence: 3, position: 3 });

describe('what a poll makes of a request', () => {
  const table: {
    name: string;
    row: RequestRow;
    outcome: PollOutcome;
    at?: number;
    events: string[];
    next: string;
  }[] = [
    {
      name: 'the first status is an event',
      row: requestRow(),
      outcome: says('requested'),
      events: ['video.requested'],
      next: 'polling',
    },
    {
      name: 'the same status is none',
      row: processing,
      outcome: says('processing'),
      events: [],
      next: 'polling',
    },
    {
      name: 'a skipped status does not matter',
      row: requestRow(),
      outcome: says('processing'),
      events: ['video.processing'],
      next: 'polling',
    },
    {
      name: 'a status that goes backwards was observed too',
      row: processing,
      outcome: says('accepted'),
      events: ['video.accepted'],
      next: 'polling',
    },
    {
      name: 'canceling is not the end',
      row: processing,
      outcome: says('canceling'),
      events: ['video.canceling'],
      next: 'polling',
    },
    {
      name: 'canceled is the end',
      row: processing,
      outcome: says('canceled'),
      events: ['video.canceled'],
      next: 'done',
    },
    {
      name: 'failed is the end',
      row: processing,
      outcome: says('failed', { message: 'no' }),
      events: ['video.failed'],
      next: 'done',
    },
    {
      name: 'complete begins the copy',
      row: processing,
      outcome: says('complete', { download: DOWNLOAD }),
      events: ['video.complete'],
      next: 'copying',
    },
    {
      name: 'complete is the end when no copy is wanted',
      row: { ...processing, copy: false },
      outcome: says('complete'),
      events: ['video.complete'],
      next: 'done',
    },
    {
      name: 'complete without download is asked again',
      row: processing,
      outcome: says('complete'),
      events: ['video.complete'],
      next: 'polling',
    },
    {
      name: 'the download may come late',
      row: { ...processing, status: 'complete', downloadMissing: 3 },
      outcome: says('complete', { download: DOWNLOAD }),
      events: [],
      next: 'copying',
    },
    {
      name: 'a download that never comes is told',
      row: {
        ...processing,
        status: 'complete',
        downloadMissing: DOWNLOAD_TRIES - 1,
        downloadMissingSince: START - DOWNLOAD_MS,
      },
      outcome: says('complete'),
      events: ['video.unavailable'],
      next: 'done',
    },
    {
      name: 'an unknown status is told',
      row: processing,
      outcome: says('pondering'),
      events: ['video.status_unrecognized'],
      next: 'polling',
    },
    {
      name: 'an unknown status is told once',
      row: { ...processing, unrecognized: ['pondering'] },
      outcome: says('pondering'),
      events: [],
      next: 'polling',
    },
    {
      name: 'a first 404 says nothing yet',
      row: processing,
      outcome: NOT_FOUND,
      events: [],
      next: 'polling',
    },
    {
      name: 'a 404 that lasts loses the request',
      row: { ...processing, notFoundSince: START, notFounds: NOT_FOUND_TRIES - 1 },
      outcome: NOT_FOUND,
      at: START + notFoundMs,
      events: ['video.lost'],
      next: 'done',
    },
    {
      name: 'two 404s do not, however much time lies between',
      row: { ...processing, notFoundSince: START, notFounds: 1 },
      outcome: NOT_FOUND,
      at: START + 100 * notFoundMs,
      events: [],
      next: 'polling',
    },
    {
      name: 'a fault says nothing of the request',
      row: processing,
      outcome: FAULT,
      events: [],
      next: 'polling',
    },
    {
      name: 'a request pending for too long is lost',
      row: processing,
      outcome: says('processing'),
      at: START + pendingMs + 1,
      events: ['video.lost'],
      next: 'done',
    },
    {
      name: 'faults for too long lose it too',
      row: processing,
      outcome: FAULT,
      at: START + pendingMs + 1,
      events: ['video.lost'],
      next: 'done',
    },
    {
      name: 'a terminal status is final',
      row: { ...processing, status: 'failed' },
      outcome: says('processing'),
      events: [],
      next: 'done',
    },
    {
      name: 'a copy gets its fresh URL without an event',
      row: { ...processing, status: 'complete', urlWanted: true },
      outcome: says('complete', { download: DOWNLOAD }),
      events: [],
      next: 'copying',
    },
  ];
  test.each(table)('$name', ({ row, outcome, at = START + 1_000, events, next }) => {
    const change = transition(row, outcome, at);
    expect(change.events.map((event) => event.type)).toEqual(events);
    expect(change.next).toBe(next);
  });
});

test('the first event has no previous status, the next one names it', () => {
  const first = transition(requestRow(), says('requested'), START);
  expect(first.events[0]?.data).toMatchObject({ status: 'requested', previousStatus: null });
  const second = transition({ ...requestRow(), ...first.set, sequence: 1 }, says('accepted'), START);
  expect(second.events[0]?.data).toMatchObject({ status: 'accepted', previousStatus: 'requested' });
});

test('an unknown status is kept as the status of the request', () => {
  const change = transition(processing, says('pondering'), START);
  expect(change.set).toMatchObject({ status: 'pondering', unrecognized: ['pondering'] });
});

test.each(['lost', 'registered'])(
  'the bridge’s own word %s is an unknown status when upstream says it',
  (word) => {
    for (const row of [requestRow(), processing]) {
      const first = transition(row, says(word), START);
      expect(first.next).toBe('polling');
      expect(first.events).toMatchObject([
        { type: 'video.status_unrecognized', data: { status: `upstream:${word}` } },
      ]);
      const again = transition({ ...row, ...first.set, sequence: 9 }, says(word), START);
      expect(again).toMatchObject({ next: 'polling', events: [] });
      const ended = transition({ ...row, ...first.set, sequence: 9 }, says('failed'), START);
      expect(ended).toMatchObject({ next: 'done', events: [{ type: 'video.failed' }] });
    }
  },
);

test.each([says('processing'), NOT_FOUND])(
  'no status begins before the one that it follows, though the clock that polls is behind: %j',
  (outcome) => {
    const since = START + 60_000;
    const row = requestRow({
      statusSince: since,
      notFoundSince: START - notFoundMs,
      notFounds: NOT_FOUND_TRIES,
    });
    expect(transition(row, outcome, START).set).toMatchObject({ statusSince: since });
    expect(transition(row, outcome, since + 1).set).toMatchObject({ statusSince: since + 1 });
  },
);

test('what upstream leaves out keeps its last value', () => {
  const row = { ...processing, progress: 40, estimates: { time: [10, 20] as [number, number] } };
  const change = transition(row, says('processing'), START);
  expect({ ...row, ...change.set }).toMatchObject({ progress: 40, estimates: { time: [10, 20] } });
});

test('one found answer ends a run of 404s and faults', () => {
  const change = transition({ ...processing, notFoundSince: START, faults: 3 }, says('processing'), START);
  expect(change.remove).toEqual(expect.arrayContaining(['notFoundSince', 'faults']));
});

test('a copy that asked for a fresh URL learns that upstream no longer has the video', () => {
  const row = { ...processing, status: 'complete', urlWanted: true, notFoundSince: START, notFounds: 9 };
  const change = transition(row, NOT_FOUND, START + notFoundMs);
  expect(change).toMatchObject({ sourceGone: true, next: 'copying', events: [] });
});

test('progress is an event at most once per 10 seconds, and takes no number', () => {
  const row = { ...processing, progress: 10, progressToldAt: START };
  const early = transition(row, says('processing', { progress: 20 }), START + 9_999, { tellProgress: true });
  expect(early.events).toEqual([]);
  const due = transition(row, says('processing', { progress: 20 }), START + 10_000, { tellProgress: true });
  expect(due.events).toMatchObject([{ type: 'progress.updated', numbered: false, data: { progress: 20 } }]);
});

test('progress is no event unless a filter names it', () => {
  const change = transition(
    { ...processing, progress: 10 },
    says('processing', { progress: 20 }),
    START + 60_000,
  );
  expect(change.events).toEqual([]);
});

test('a long message is cut at 2 KiB between characters', () => {
  const change = transition(processing, says('failed', { message: 'ä'.repeat(2_000) }), START);
  expect(change.events[0]?.data.message).toBe('ä'.repeat(1_024));
});

describe('the statuses that no poll saw', () => {
  const eventAfter = (sentStatus: string | undefined, status: string) => {
    const row = requestRow({ status: sentStatus ?? 'registered', sentStatus, sequence: 3, position: 3 });
    return transition(row, says(status), START).events[0]?.data;
  };

  test.each([
    ['accepted', 'processing', ['initializing', 'preprocessing']],
    ['requested', 'complete', ['accepted', 'initializing', 'preprocessing', 'processing', 'postprocessing']],
  ])('between %s and %s are named', (previous, status, skipped) => {
    expect(eventAfter(previous, status)).toMatchObject({ previousStatus: previous, skipped });
  });

  test.each([
    ['neighbors', 'accepted', 'initializing'],
    ['a job that went back', 'processing', 'accepted'],
    ['a failure', 'accepted', 'failed'],
    ['a cancellation', 'accepted', 'canceled'],
    ['a job that is being canceled', 'accepted', 'canceling'],
    ['an unknown status before', 'paused', 'complete'],
    ['an unknown status after', 'accepted', 'paused'],
    ['the first status', undefined, 'processing'],
  ])('are not guessed for %s', (_, previous, status) => {
    expect(eventAfter(previous, status)).toBeDefined();
    expect(eventAfter(previous, status)).not.toHaveProperty('skipped');
  });
});

describe('the previous status of an event', () => {
  test('is null in the first event, even when the request is lost at once', () => {
    const row = requestRow({ notFoundSince: START - notFoundMs, notFounds: NOT_FOUND_TRIES });
    expect(transition(row, NOT_FOUND, START).events[0]).toMatchObject({
      type: 'video.lost',
      data: { status: 'lost', previousStatus: null },
    });
  });

  test('after a restart is the one that receivers were last sent', () => {
    const restarted = requestRow({ status: 'registered', sentStatus: 'failed', sequence: 4, position: 4 });
    expect(transition(restarted, says('requested'), START).events[0]?.data).toMatchObject({
      previousStatus: 'failed',
    });
  });

  test('is not one that the bridge met again without an event', () => {
    const row = requestRow({ status: 'accepted', sentStatus: 'accepted', unrecognized: ['paused'] });
    const { set, events } = transition(row, says('paused'), START);
    expect(events).toEqual([]);
    const next = transition({ ...row, ...set }, says('processing'), START);
    expect(next.events[0]?.data).toMatchObject({ previousStatus: 'accepted' });
  });
});
