import { expect, test } from 'vitest';
import type { RequestRow, UpstreamStatus } from '../../../../lambdas/domain/requests/request.ts';
import {
  DOWNLOAD_MS,
  DOWNLOAD_TRIES,
  isOverdue,
  NOT_FOUND_TRIES,
  type PollOutcome,
  PROGRESS_MS,
  type Transition,
} from '../../../../lambdas/domain/requests/transition.ts';
import { requestRow, START } from '../../../support/rows.ts';
import { TRANSITION_SETTINGS, transition } from '../../../support/transition.ts';

// All that a poll writes, sends and decides, compared whole.

const NOW = START + 1_000;
const { notFoundMs, pendingMs } = TRANSITION_SETTINGS;
/** What an answer of Topaz ends. */
const ANSWERED = ['notFoundSince', 'notFounds', 'faults', 'refused', 'lastError'] as const;
const ESTIMATES: UpstreamStatus['estimates'] = { cost: [1, 2], time: [10, 20] };
const DOWNLOAD = { url: 'https://storage.example/video.mp4?sig=1', expiresAt: START + 86_400_000 };
const UNKNOWN = 'Topaz does not know the request';
const OVERDUE = 'pending for longer than Topaz keeps data';
const NEVER_CAME = 'Topaz answered "complete" 10 times without a download';

const says = (status: string, more: Partial<UpstreamStatus> = {}): PollOutcome => ({
  kind: 'status',
  status: { status, ...more },
});
const NOT_FOUND: PollOutcome = { kind: 'not-found' };
const FAULT: PollOutcome = { kind: 'fault', reason: 'timed out' };

const polled = (at = NOW) => ({ lastPolledAt: at, polls: 8 });
const row = (changes: Partial<RequestRow> = {}): RequestRow =>
  requestRow({ status: 'processing', sentStatus: 'processing', polls: 7, progress: 40, ...changes });
const complete = (changes: Partial<RequestRow> = {}): RequestRow =>
  row({ status: 'complete', sentStatus: 'complete', ...changes });
const begun = (status: string, at = NOW) => ({ status, statusSince: at, sentStatus: status });

type Case = {
  readonly row: RequestRow;
  readonly outcome: PollOutcome;
  readonly at?: number;
  readonly tellProgress?: boolean;
  readonly whole: Transition;
};

const cases: Record<string, Case> = {
  'a first answer with all that Topaz says': {
    row: requestRow({ polls: 7 }),
    outcome: says('requested', {
      progress: 5,
      estimates: ESTIMATES,
      averageFps: 24,
      combinedFps: 48,
      outputSize: '2 GB',
      processingJobs: [{ status: 'running' }],
      message: 'queued',
      errorCode: 'NONE',
    }),
    whole: {
      set: {
        ...polled(),
        progress: 5,
        estimates: ESTIMATES,
        averageFps: 24,
        combinedFps: 48,
        outputSize: '2 GB',
        message: 'queued',
        errorCode: 'NONE',
        ...begun('requested'),
      },
      remove: ANSWERED,
      events: [
        {
          type: 'video.requested',
          data: {
            status: 'requested',
            previousStatus: null,
            progress: 5,
            estimates: ESTIMATES,
            message: 'queued',
            errorCode: 'NONE',
          },
        },
      ],
      next: 'polling',
    },
  },
  'an answer that says nothing new': {
    row: row(),
    outcome: says('processing'),
    whole: { set: polled(), remove: ANSWERED, events: [], next: 'polling' },
  },
  'an event tells the last progress and estimates where the answer has none, and no old message': {
    row: row({ estimates: ESTIMATES, message: 'old', errorCode: 'OLD' }),
    outcome: says('postprocessing'),
    whole: {
      set: { ...polled(), ...begun('postprocessing') },
      remove: ANSWERED,
      events: [
        {
          type: 'video.postprocessing',
          data: {
            status: 'postprocessing',
            previousStatus: 'processing',
            progress: 40,
            estimates: ESTIMATES,
          },
        },
      ],
      next: 'polling',
    },
  },
  'a job that fails': {
    row: row(),
    outcome: says('failed', { message: 'no', errorCode: 'E' }),
    whole: {
      set: { ...polled(), message: 'no', errorCode: 'E', ...begun('failed') },
      remove: ANSWERED,
      events: [
        {
          type: 'video.failed',
          data: {
            status: 'failed',
            previousStatus: 'processing',
            progress: 40,
            message: 'no',
            errorCode: 'E',
          },
        },
      ],
      next: 'done',
    },
  },
  'an unknown status': {
    row: row({ unrecognized: ['paused'] }),
    outcome: says('pondering'),
    whole: {
      set: { ...polled(), ...begun('pondering'), unrecognized: ['paused', 'pondering'] },
      remove: ANSWERED,
      events: [
        {
          type: 'video.status_unrecognized',
          data: { status: 'pondering', previousStatus: 'processing', progress: 40 },
        },
      ],
      next: 'polling',
    },
  },
  'an unknown status that was told before': {
    row: row({ unrecognized: ['paused', 'pondering'] }),
    outcome: says('paused'),
    whole: {
      set: { ...polled(), status: 'paused', statusSince: NOW, unrecognized: ['paused', 'pondering'] },
      remove: ANSWERED,
      events: [],
      next: 'polling',
    },
  },
  'progress for who asked': {
    row: row(),
    outcome: says('processing', { progress: 50 }),
    tellProgress: true,
    whole: {
      set: { ...polled(), progress: 50, progressToldAt: NOW },
      remove: ANSWERED,
      events: [
        {
          type: 'progress.updated',
          data: { status: 'processing', previousStatus: 'processing', progress: 50 },
          numbered: false,
        },
      ],
      next: 'polling',
    },
  },
  'progress of a new status is told by its event alone': {
    row: row(),
    outcome: says('postprocessing', { progress: 50 }),
    tellProgress: true,
    whole: {
      set: { ...polled(), progress: 50, ...begun('postprocessing') },
      remove: ANSWERED,
      events: [
        {
          type: 'video.postprocessing',
          data: { status: 'postprocessing', previousStatus: 'processing', progress: 50 },
        },
      ],
      next: 'polling',
    },
  },
  'the same progress': {
    row: row(),
    outcome: says('processing', { progress: 40 }),
    tellProgress: true,
    whole: { set: { ...polled(), progress: 40 }, remove: ANSWERED, events: [], next: 'polling' },
  },
  'no progress': {
    row: row({ progress: undefined }),
    outcome: says('processing'),
    tellProgress: true,
    whole: { set: polled(), remove: ANSWERED, events: [], next: 'polling' },
  },
  'a first fault': {
    row: row(),
    outcome: FAULT,
    whole: {
      set: { ...polled(), faults: 1, lastError: { at: NOW, reason: 'timed out' } },
      remove: [],
      events: [],
      next: 'polling',
    },
  },
  'a fault after others': {
    row: row({ faults: 3 }),
    outcome: FAULT,
    whole: {
      set: { ...polled(), faults: 4, lastError: { at: NOW, reason: 'timed out' } },
      remove: [],
      events: [],
      next: 'polling',
    },
  },
  'a first 404': {
    row: row(),
    outcome: NOT_FOUND,
    whole: {
      set: {
        ...polled(),
        notFoundSince: NOW,
        notFounds: 1,
        lastError: { at: NOW, reason: `${UNKNOWN} (404)` },
      },
      remove: ['faults', 'refused'],
      events: [],
      next: 'polling',
    },
  },
  'a 404 after another': {
    row: row({ notFoundSince: START, notFounds: 1 }),
    outcome: NOT_FOUND,
    whole: {
      set: {
        ...polled(),
        notFoundSince: START,
        notFounds: 2,
        lastError: { at: NOW, reason: `${UNKNOWN} (404)` },
      },
      remove: ['faults', 'refused'],
      events: [],
      next: 'polling',
    },
  },
  'the last of enough 404s, though only for a moment less than enough': {
    row: row({ notFoundSince: NOW - notFoundMs + 1, notFounds: NOT_FOUND_TRIES }),
    outcome: NOT_FOUND,
    whole: {
      set: {
        ...polled(),
        notFoundSince: NOW - notFoundMs + 1,
        notFounds: NOT_FOUND_TRIES + 1,
        lastError: { at: NOW, reason: `${UNKNOWN} (404)` },
      },
      remove: ['faults', 'refused'],
      events: [],
      next: 'polling',
    },
  },
  'a request that is lost': {
    row: row({ notFoundSince: NOW - notFoundMs, notFounds: NOT_FOUND_TRIES - 1, estimates: ESTIMATES }),
    outcome: NOT_FOUND,
    whole: {
      set: { ...polled(), ...begun('lost'), video: { state: 'failed', error: UNKNOWN } },
      remove: [],
      events: [
        {
          type: 'video.lost',
          data: {
            status: 'lost',
            previousStatus: 'processing',
            progress: 40,
            estimates: ESTIMATES,
            reason: UNKNOWN,
          },
        },
      ],
      next: 'done',
    },
  },
  'a request that is lost and was not to be copied': {
    row: row({ copy: false, notFoundSince: NOW - notFoundMs, notFounds: NOT_FOUND_TRIES }),
    outcome: NOT_FOUND,
    whole: {
      set: { ...polled(), ...begun('lost') },
      remove: [],
      events: [
        {
          type: 'video.lost',
          data: { status: 'lost', previousStatus: 'processing', progress: 40, reason: UNKNOWN },
        },
      ],
      next: 'done',
    },
  },
  'a new status of a request that is pending for too long': {
    row: row({
      startedAt: NOW - pendingMs - 1,
      video: { state: 'pending', previous: { bucket: 'b', key: 'k' } },
    }),
    outcome: says('postprocessing', { progress: 90 }),
    whole: {
      set: {
        ...polled(),
        progress: 90,
        ...begun('lost'),
        video: { state: 'failed', previous: { bucket: 'b', key: 'k' }, error: OVERDUE },
      },
      remove: ANSWERED,
      events: [
        {
          type: 'video.postprocessing',
          data: { status: 'postprocessing', previousStatus: 'processing', progress: 90 },
        },
        {
          type: 'video.lost',
          data: { status: 'lost', previousStatus: 'postprocessing', progress: 90, reason: OVERDUE },
        },
      ],
      next: 'done',
    },
  },
  'a fault of a request that is pending for too long': {
    row: row({ startedAt: NOW - pendingMs - 1, copy: false }),
    outcome: FAULT,
    whole: {
      set: { ...polled(), ...begun('lost') },
      remove: [],
      events: [
        {
          type: 'video.lost',
          data: { status: 'lost', previousStatus: 'processing', progress: 40, reason: OVERDUE },
        },
      ],
      next: 'done',
    },
  },
  'a job that is complete': {
    row: row(),
    outcome: says('complete', { progress: 100, download: DOWNLOAD }),
    whole: {
      set: { ...polled(), progress: 100, ...begun('complete'), video: { state: 'pending' } },
      remove: [...ANSWERED, 'downloadMissing', 'downloadMissingSince', 'urlWanted'],
      events: [
        {
          type: 'video.complete',
          data: {
            status: 'complete',
            previousStatus: 'processing',
            progress: 100,
            skipped: ['postprocessing'],
          },
        },
      ],
      next: 'copying',
      source: DOWNLOAD,
    },
  },
  'a job that is complete and is not to be copied': {
    row: row({ copy: false, status: 'postprocessing', sentStatus: 'postprocessing' }),
    outcome: says('complete', { download: DOWNLOAD }),
    whole: {
      set: { ...polled(), ...begun('complete') },
      remove: ANSWERED,
      events: [
        {
          type: 'video.complete',
          data: { status: 'complete', previousStatus: 'postprocessing', progress: 40 },
        },
      ],
      next: 'done',
    },
  },
  'a job that is complete without a download': {
    row: row({ status: 'postprocessing', sentStatus: 'postprocessing' }),
    outcome: says('complete'),
    whole: {
      set: { ...polled(), ...begun('complete'), downloadMissing: 1, downloadMissingSince: NOW },
      remove: ANSWERED,
      events: [
        {
          type: 'video.complete',
          data: { status: 'complete', previousStatus: 'postprocessing', progress: 40 },
        },
      ],
      next: 'polling',
    },
  },
  'a download that is missing again': {
    row: complete({ downloadMissing: DOWNLOAD_TRIES - 2, downloadMissingSince: NOW - DOWNLOAD_MS }),
    outcome: says('complete', { progress: 100 }),
    whole: {
      set: { ...polled(), downloadMissing: DOWNLOAD_TRIES - 1, downloadMissingSince: NOW - DOWNLOAD_MS },
      remove: ANSWERED,
      events: [],
      next: 'polling',
    },
  },
  'a download that is missing at many polls within an hour': {
    row: complete({ downloadMissing: 100, downloadMissingSince: NOW - DOWNLOAD_MS + 1 }),
    outcome: says('complete'),
    whole: {
      set: { ...polled(), downloadMissing: 101, downloadMissingSince: NOW - DOWNLOAD_MS + 1 },
      remove: ANSWERED,
      events: [],
      next: 'polling',
    },
  },
  'a download that comes late': {
    row: complete({ downloadMissing: 3 }),
    outcome: says('complete', { download: DOWNLOAD }),
    whole: {
      set: { ...polled(), video: { state: 'pending' } },
      remove: [...ANSWERED, 'downloadMissing', 'downloadMissingSince', 'urlWanted'],
      events: [],
      next: 'copying',
      source: DOWNLOAD,
    },
  },
  'a fresh URL for a copy that is under way': {
    row: complete({ urlWanted: true, video: { state: 'copying', copiedBytes: 5 } }),
    outcome: says('complete', { download: DOWNLOAD }),
    whole: {
      set: polled(),
      remove: [...ANSWERED, 'downloadMissing', 'downloadMissingSince', 'urlWanted'],
      events: [],
      next: 'copying',
      source: DOWNLOAD,
    },
  },
  'a download that never comes': {
    row: complete({
      downloadMissing: DOWNLOAD_TRIES - 1,
      downloadMissingSince: NOW - DOWNLOAD_MS,
      message: 'odd',
      errorCode: 'E',
      estimates: ESTIMATES,
    }),
    outcome: says('complete'),
    whole: {
      set: { ...polled(), video: { state: 'failed', error: NEVER_CAME } },
      remove: ANSWERED,
      events: [
        {
          type: 'video.unavailable',
          data: {
            status: 'complete',
            previousStatus: 'complete',
            progress: 40,
            estimates: ESTIMATES,
            message: 'odd',
            errorCode: 'E',
            reason: NEVER_CAME,
          },
        },
      ],
      next: 'done',
    },
  },
  'a fresh URL that never comes': {
    row: complete({
      urlWanted: true,
      downloadMissing: DOWNLOAD_TRIES - 1,
      downloadMissingSince: NOW - DOWNLOAD_MS,
    }),
    outcome: says('complete'),
    whole: {
      set: polled(),
      remove: [...ANSWERED, 'downloadMissing', 'downloadMissingSince', 'urlWanted'],
      events: [],
      next: 'copying',
      sourceGone: true,
    },
  },
  'a finished job that Topaz forgets before its download came': {
    row: complete({
      notFoundSince: NOW - notFoundMs,
      notFounds: NOT_FOUND_TRIES,
      video: { state: 'pending', previous: { bucket: 'b', key: 'k' } },
    }),
    outcome: NOT_FOUND,
    whole: {
      set: { ...polled(), video: { state: 'failed', previous: { bucket: 'b', key: 'k' }, error: UNKNOWN } },
      remove: ['notFoundSince', 'notFounds'],
      events: [
        {
          type: 'video.unavailable',
          data: { status: 'complete', previousStatus: 'complete', progress: 40, reason: UNKNOWN },
        },
      ],
      next: 'done',
    },
  },
  'a finished job that Topaz forgets while its copy waits for a fresh URL': {
    row: complete({ urlWanted: true, notFoundSince: NOW - notFoundMs, notFounds: NOT_FOUND_TRIES }),
    outcome: NOT_FOUND,
    whole: {
      set: polled(),
      remove: ['notFoundSince', 'notFounds', 'downloadMissing', 'downloadMissingSince', 'urlWanted'],
      events: [],
      next: 'copying',
      sourceGone: true,
    },
  },
  'a finished job whose faults last for too long': {
    row: complete({ startedAt: NOW - pendingMs - 1 }),
    outcome: FAULT,
    whole: {
      set: { ...polled(), video: { state: 'failed', error: OVERDUE } },
      remove: ['notFoundSince', 'notFounds'],
      events: [
        {
          type: 'video.unavailable',
          data: { status: 'complete', previousStatus: 'complete', progress: 40, reason: OVERDUE },
        },
      ],
      next: 'done',
    },
  },
};

test.each(Object.entries(cases))('%s', (_name, { row: before, outcome, at = NOW, tellProgress, whole }) => {
  expect(transition(before, outcome, at, { tellProgress })).toStrictEqual(whole);
});

test.each(['failed', 'canceled', 'lost'])('a request that is %s changes no more', (status) => {
  const ended = row({ status, sentStatus: status });
  for (const outcome of [says('processing', { progress: 99 }), says('complete', { download: DOWNLOAD })]) {
    expect(transition(ended, outcome, NOW)).toStrictEqual({
      set: polled(),
      remove: ANSWERED,
      events: [],
      next: 'done',
    });
  }
});

test('no poll is dated before the request began, though the clock that polls is behind', () => {
  for (const outcome of [says('processing'), NOT_FOUND, FAULT])
    expect(transition(row(), outcome, START - 1).set.lastPolledAt).toBe(START);
});

test('a request is overdue after its time, and not at its end', () => {
  const settings = TRANSITION_SETTINGS;
  expect(isOverdue(row(), START + pendingMs, settings)).toBe(false);
  expect(isOverdue(row(), START + pendingMs + 1, settings)).toBe(true);
});

test('a first progress is told at once, and the next one only after its time', () => {
  const told = (progressToldAt: number | undefined, at: number) =>
    transition(row({ progressToldAt }), says('processing', { progress: 50 }), at, { tellProgress: true })
      .events.length;
  expect([
    told(undefined, START),
    told(START, START + PROGRESS_MS - 1),
    told(START, START + PROGRESS_MS),
  ]).toEqual([1, 0, 1]);
});

test('at most 20 unknown statuses are remembered, the last ones', () => {
  const unrecognized = Array.from({ length: 20 }, (_, n) => `odd-${n}`);
  const { set } = transition(row({ unrecognized }), says('odd-20'), NOW);
  expect(set.unrecognized).toEqual([...unrecognized.slice(1), 'odd-20']);
});
