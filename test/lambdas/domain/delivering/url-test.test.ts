import { expect, test } from 'vitest';
import {
  type UrlTestRow,
  urlTestEvent,
  urlTestUnsent,
  waitForUrlTest,
} from '../../../../lambdas/domain/delivering/url-test.ts';
import { sampleData } from '../../../../lambdas/domain/events/event-samples.ts';
import { endpointId, parseEventId } from '../../../../lambdas/domain/ids.ts';
import { urlTestKey } from '../../../../lambdas/domain/rows.ts';
import { START } from '../../../support/rows.ts';

const ID = endpointId('account', new Uint8Array(16).fill(1));
const begun = (changes: Partial<UrlTestRow> = {}): UrlTestRow => ({
  ...urlTestKey(ID),
  endpointId: ID,
  eventId: 'msg_1',
  startedAt: START,
  expiresAt: START / 1000 + 60,
  ...changes,
});

test('the first test of an endpoint may begin at once', () => {
  expect(waitForUrlTest(undefined, START)).toBe(0);
});

test('one test at a time: the next waits until the last can no longer be under way', () => {
  expect(waitForUrlTest(begun(), START)).toBe(60_000);
  expect(waitForUrlTest(begun(), START + 59_999)).toBe(1);
  expect(waitForUrlTest(begun(), START + 60_001)).toBe(0);
});

test('the next test may begin two seconds after the answer of the last', () => {
  const answered = begun({ attempt: { at: START + 100, durationMs: 400, statusCode: 204 } });
  expect(waitForUrlTest(answered, START + 500)).toBe(2_000);
  expect(waitForUrlTest(answered, START + 2_500)).toBe(0);
});

test('a test that a worker begins in time goes out', () => {
  for (const now of [START, START + 45_000])
    expect(urlTestUnsent(begun(), { isSignable: true, claimsBefore: 0, now })).toBeUndefined();
});

test.each([
  [
    { isSignable: false, claimsBefore: 1, now: START + 50_000 },
    'endpoint_deleted',
    'The endpoint was deleted before the test went out.',
  ],
  [
    { isSignable: true, claimsBefore: 1, now: START + 50_000 },
    'interrupted',
    'The test was interrupted, and may have gone out: look at the receiver, or test again.',
  ],
  [
    { isSignable: true, claimsBefore: 0, now: START + 45_001 },
    'too_late',
    'The bridge was too busy to send the test in time: test again.',
  ],
])('a test that does not go out says why: %j', (state, error, reason) => {
  expect(urlTestUnsent(begun(), state)).toEqual({ at: state.now, durationMs: 0, error, reason });
});

test('a test is a sample whose id is that of no event of the endpoint, which count from 1', () => {
  const event = urlTestEvent(ID, 'video.complete', START);
  expect(parseEventId(event.id)).toEqual({
    occurredAt: START,
    source: { kind: 'endpoint', endpointId: ID },
    position: 0,
  });
  expect(event).toEqual({
    id: event.id,
    type: 'video.complete',
    timestamp: new Date(START).toISOString(),
    data: sampleData('video.complete', ID),
  });
});
