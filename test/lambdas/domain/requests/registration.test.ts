import { describe, expect, test } from 'vitest';
import { addition, newRequest, type Registration } from '../../../../lambdas/domain/requests/registration.ts';

const NOW = Date.UTC(2026, 10, 23);
const REQUEST_ID = '11111111-2222-3333-4444-555555555555';
const CALLBACK_URL = 'https://hooks.example.com/';
const metaOf = (registration: Partial<Registration>) =>
  newRequest({ requestId: REQUEST_ID, ...registration }, NOW).meta;

describe('a new request', () => {
  test('is due at once, in the list of the active ones, and wants its video', () => {
    expect(newRequest({ requestId: REQUEST_ID }, NOW).request).toMatchObject({
      state: 'active',
      status: 'registered',
      lane: 'poll',
      dueAt: NOW,
      copy: true,
      listKey: 'requests#active',
    });
  });

  test('stays under 1 KB, as it is read and written at each poll', () => {
    const { request } = newRequest(
      { requestId: REQUEST_ID, callbackUrl: CALLBACK_URL, events: ['progress.updated'] },
      NOW,
    );
    expect(JSON.stringify(request).length).toBeLessThan(1_024);
  });

  test('goes on from the numbers that an expired one left', () => {
    const { request, outbox } = newRequest({ requestId: REQUEST_ID, callbackUrl: CALLBACK_URL }, NOW, {
      sequence: 4,
      position: 6,
    });
    expect(request).toMatchObject({ sequence: 4, position: 6 });
    expect(outbox.accountCursor).toEqual({ position: 6 });
    expect(Object.values(outbox.callbackCursors)).toEqual([6]);
  });
});

describe('registering again', () => {
  test.each<[string, Partial<Registration>, Partial<Registration>]>([
    [
      'the same',
      { callbackUrl: CALLBACK_URL, metadata: { a: '1' } },
      { callbackUrl: CALLBACK_URL, metadata: { a: '1' } },
    ],
    [
      'less',
      { callbackUrl: CALLBACK_URL, metadata: { a: '1' }, events: ['video.complete'] },
      { callbackUrl: CALLBACK_URL },
    ],
    [
      'the same events in another order',
      { callbackUrl: CALLBACK_URL, events: ['a.*', 'b.*'] },
      { callbackUrl: CALLBACK_URL, events: ['b.*', 'a.*'] },
    ],
  ])('with %s is the callback that is known', (_, before, again) => {
    const meta = metaOf(before);
    expect(addition({ requestId: REQUEST_ID, ...again }, meta)).toEqual({
      kind: 'known',
      callback: meta.callbacks[0],
    });
  });

  test('with another setting of copy adds nothing', () => {
    expect(addition({ requestId: REQUEST_ID, copy: false }, metaOf({}))).toEqual({ kind: 'nothing' });
  });

  test('with a new URL adds a callback with the default filter', () => {
    expect(addition({ requestId: REQUEST_ID, callbackUrl: CALLBACK_URL }, metaOf({}))).toMatchObject({
      kind: 'callback',
      callback: { url: CALLBACK_URL, events: ['video.*'] },
    });
  });

  test.each<[string, Partial<Registration>]>([
    ['metadata', { metadata: { a: '2' } }],
    ['metadata', { metadata: {} }],
    ['events', { callbackUrl: CALLBACK_URL, events: ['video.failed'] }],
  ])('with other %s is a conflict', (field, again) => {
    const meta = metaOf({ callbackUrl: CALLBACK_URL, metadata: { a: '1' } });
    expect(addition({ requestId: REQUEST_ID, ...again }, meta)).toMatchObject({ kind: 'conflict', field });
  });

  test('names of metadata that every object has are compared as such', () => {
    expect(
      addition({ requestId: REQUEST_ID, metadata: { toString: 'x' } }, metaOf({ metadata: { a: 'x' } })),
    ).toMatchObject({
      kind: 'conflict',
    });
  });
});
