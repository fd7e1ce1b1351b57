import { describe, expect, test } from 'vitest';
import { addition, newRequest, type Registration } from '../../../../lambdas/domain/requests/registration.ts';

const NOW = Date.UTC(2026, 10, 23);
const requestId = '11111111-2222-3333-4444-555555555555';
const callbackUrl = 'https://hooks.example.com/';
const metaOf = (registration: Partial<Registration>) => newRequest({ requestId, ...registration }, NOW).meta;

describe('a new request', () => {
  test('is due at once, in the list of the active ones, and wants its video', () => {
    expect(newRequest({ requestId }, NOW).request).toMatchObject({
      state: 'active',
      status: 'registered',
      lane: 'poll',
      dueAt: NOW,
      copy: true,
      listKey: 'requests#active',
    });
  });

  test('stays under 1 KB, as it is read and written at each poll', () => {
    const { request } = newRequest({ requestId, callbackUrl, events: ['progress.updated'] }, NOW);
    expect(JSON.stringify(request).length).toBeLessThan(1_024);
  });

  test('goes on from the numbers that an expired one left', () => {
    const { request, outbox } = newRequest({ requestId, callbackUrl }, NOW, { sequence: 4, position: 6 });
    expect(request).toMatchObject({ sequence: 4, position: 6 });
    expect(outbox.accountCursor).toEqual({ position: 6 });
    expect(Object.values(outbox.callbackCursors)).toEqual([6]);
  });
});

describe('registering again', () => {
  test.each<[string, Partial<Registration>, Partial<Registration>]>([
    ['the same', { callbackUrl, metadata: { a: '1' } }, { callbackUrl, metadata: { a: '1' } }],
    ['less', { callbackUrl, metadata: { a: '1' }, events: ['video.complete'] }, { callbackUrl }],
    [
      'the same events in another order',
      { callbackUrl, events: ['a.*', 'b.*'] },
      { callbackUrl, events: ['b.*', 'a.*'] },
    ],
  ])('with %s is the callback that is known', (_, before, again) => {
    const meta = metaOf(before);
    expect(addition({ requestId, ...again }, meta)).toEqual({ kind: 'known', callback: meta.callbacks[0] });
  });

  test('with another wish for the copy adds nothing', () => {
    expect(addition({ requestId, copy: false }, metaOf({}))).toEqual({ kind: 'nothing' });
  });

  test('with a new URL adds a callback with the default filter', () => {
    expect(addition({ requestId, callbackUrl }, metaOf({}))).toMatchObject({
      kind: 'callback',
      callback: { url: callbackUrl, events: ['video.*'] },
    });
  });

  test.each<[string, Partial<Registration>]>([
    ['metadata', { metadata: { a: '2' } }],
    ['metadata', { metadata: {} }],
    ['events', { callbackUrl, events: ['video.failed'] }],
  ])('with other %s is a conflict', (field, again) => {
    const meta = metaOf({ callbackUrl, metadata: { a: '1' } });
    expect(addition({ requestId, ...again }, meta)).toMatchObject({ kind: 'conflict', field });
  });

  test('names of metadata that every object has are compared as such', () => {
    expect(
      addition({ requestId, metadata: { toString: 'x' } }, metaOf({ metadata: { a: 'x' } })),
    ).toMatchObject({
      kind: 'conflict',
    });
  });
});
