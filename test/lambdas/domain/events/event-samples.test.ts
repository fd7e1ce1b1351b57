import { expect, test } from 'vitest';
import { numberEvents, payload } from '../../../../lambdas/domain/events/event.ts';
import { SAMPLE_DATA, sampleData } from '../../../../lambdas/domain/events/event-samples.ts';
import { EVENT_TYPES, type EventType } from '../../../../lambdas/domain/events/event-types.ts';
import {
  REGISTERED,
  type RequestRow,
  type UpstreamStatus,
} from '../../../../lambdas/domain/requests/request.ts';
import {
  DOWNLOAD_MS,
  DOWNLOAD_TRIES,
  NOT_FOUND_TRIES,
  type PollOutcome,
} from '../../../../lambdas/domain/requests/transition.ts';
import { requestRow, START } from '../../../support/rows.ts';
import { TRANSITION_SETTINGS, transition } from '../../../support/transition.ts';

const { notFoundMs } = TRANSITION_SETTINGS;

type Sample = UpstreamStatus & {
  readonly requestId: string;
  readonly sequence: number;
  readonly previousStatus: string | null;
  readonly metadata: Record<string, string>;
};

/** What upstream must say for an event like the sample, and what the row says besides. */
function cause(type: EventType, { status, progress, estimates, message, errorCode }: Sample) {
  const answer: PollOutcome = { kind: 'status', status: { status, progress, estimates, message, errorCode } };
  const causes: Partial<Record<EventType, { outcome?: PollOutcome; row: Partial<RequestRow> }>> = {
    'video.lost': {
      outcome: { kind: 'not-found' },
      row: { progress, notFoundSince: START - notFoundMs, notFounds: NOT_FOUND_TRIES },
    },
    'video.unavailable': {
      row: { progress, downloadMissing: DOWNLOAD_TRIES - 1, downloadMissingSince: START - DOWNLOAD_MS },
    },
  };
  return { outcome: answer, row: {}, ...causes[type] };
}

test.each(EVENT_TYPES.filter((type) => 'previousStatus' in SAMPLE_DATA[type]))(
  'the sample of %s is what a poll makes of such an answer',
  (type) => {
    const sample = SAMPLE_DATA[type] as Sample;
    const { previousStatus, requestId, metadata } = sample;
    const { outcome, row } = cause(type, sample);
    const before = requestRow({
      requestId,
      status: previousStatus ?? REGISTERED,
      sentStatus: previousStatus ?? undefined,
      sequence: sample.sequence - (type === 'progress.updated' ? 0 : 1),
      ...row,
    });
    const { events } = transition(before, outcome, START, { tellProgress: true });
    const { rows } = numberEvents({ kind: 'request', requestId }, before, events, START);
    expect(rows.map((event) => ({ type: event.type, data: payload(event, metadata).data }))).toEqual([
      { type, data: sample },
    ]);
  },
);

test('a sample that is sent as a test says so, and names the endpoint', () => {
  expect(sampleData('video.complete', 'ep_1')).toMatchObject({
    test: true,
    endpointId: 'ep_1',
    status: 'complete',
  });
  expect(sampleData('endpoint.test', 'ep_1')).not.toHaveProperty('test');
});
