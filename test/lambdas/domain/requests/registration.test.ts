import { describe, expect, test } from 'vitest';
import { isCallbackId } from '../../../../lambdas/domain/ids.ts';
import { addition, newRequest, type Registration } from '../../../../lambdas/domain/requests/registration.ts';
import { requestListAt } from '../../../../lambdas/domain/requests/request.ts';
import { metaKey, outboxKey, requestKey } from '../../../../lambdas/domain/rows.ts';

const NOW = Date.UTC(2026, 10, 23);
const REQUEST_ID = '11111111-2222-3333-4444-555555555555';
const CALLBACK_URL = 'https://hooks.example.com/';
const metaOf = (registration: Partial<Registration>) =>
  newRequest({ requestId: REQUEST_ID, ...registration }, NOW).meta;

describe('a new request', () => {
  test('is due at once, in the list of the active ones, and wants its video', () => {
    const source = { kind: 'request', requestId: REQUEST_ID } as const;
    expect(newRequest({ requestId: REQUEST_ID }, NOW)).toEqual({
      request: {
        ...requestKey(REQUEST_ID),
        requestId: REQUEST_ID,
        state: 'active',
        status: 'registered',
        statusSince: NOW,
        startedAt: NOW,
        registeredAt: NOW,
        observations: [],
        counted: true,
        polls: 0,
        sequence: 0,
        position: 0,
        copy: true,
        lane: 'poll',
        dueAt: NOW,
        listKey: 'requests#active',
        listAt: requestListAt({ registeredAt: NOW, requestId: REQUEST_ID }),
      },
      meta: { ...metaKey(REQUEST_ID), metadata: {}, callbacks: [] },
      outbox: { ...outboxKey(source), accountCursor: { position: 0 }, callbackCursors: {} },
    });
  });

  test('has its metadata and the callback that it names, whose id is made of the URL', () => {
    const { meta, request } = newRequest(
      { requestId: REQUEST_ID, callbackUrl: CALLBACK_URL, metadata: { a: '1' }, copy: false },
      NOW,
    );
    const again = metaOf({ callbackUrl: CALLBACK_URL });
    expect(meta).toEqual({
      ...metaKey(REQUEST_ID),
      metadata: { a: '1' },
      callbacks: [{ endpointId: again.callbacks[0]?.endpointId, url: CALLBACK_URL, events: ['video.*'] }],
    });
    expect(metaOf({ callbackUrl: `${CALLBACK_URL}?` }).callbacks[0]?.endpointId).not.toBe(
      again.callbacks[0]?.endpointId,
    );
    expect(isCallbackId(again.callbacks[0]?.endpointId ?? '')).toBe(true);
    expect(request.copy).toBe(false);
  });

  test('sends progress when its callback asks for it', () => {
    const asked = { requestId: REQUEST_ID, callbackUrl: CALLBACK_URL, events: ['progress.updated'] };
    expect(newRequest(asked, NOW).request.tellProgress).toBe(true);
    expect(newRequest({ ...asked, events: ['video.*'] }, NOW).request).not.toHaveProperty('tellProgress');
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
      lastEventAt: NOW - 1,
    });
    expect(request).toMatchObject({ sequence: 4, position: 6, lastEventAt: NOW - 1 });
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

  const OTHER_METADATA =
    'The request is tracked with other metadata: omit `metadata`, or purge the request first.';
  const OTHER_EVENTS =
    'This `callbackUrl` is registered with other `events`: omit `events`, or use another URL.';
  test.each<[string, Partial<Registration>, string]>([
    ['metadata', { metadata: { a: '1', b: '3' } }, OTHER_METADATA],
    ['metadata', { metadata: { a: '1' } }, OTHER_METADATA],
    ['metadata', { metadata: {} }, OTHER_METADATA],
    ['events', { callbackUrl: CALLBACK_URL, events: ['video.failed'] }, OTHER_EVENTS],
  ])('with other %s is a conflict: %j', (field, again, reason) => {
    const meta = metaOf({ callbackUrl: CALLBACK_URL, metadata: { a: '1', b: '2' } });
    expect(addition({ requestId: REQUEST_ID, ...again }, meta)).toEqual({ kind: 'conflict', field, reason });
  });

  test('with an eleventh URL is a conflict, and with one of the ten is not', () => {
    const urls = Array.from({ length: 11 }, (_, n) => `${CALLBACK_URL}${n}`);
    const callbacks = urls.slice(0, 10).flatMap((callbackUrl) => metaOf({ callbackUrl }).callbacks);
    const named = (callbackUrl: string | undefined, known = callbacks) =>
      addition(
        { requestId: REQUEST_ID, ...(callbackUrl && { callbackUrl }) },
        { ...metaOf({}), callbacks: known },
      );
    expect(named(urls[10])).toEqual({
      kind: 'conflict',
      field: 'callbackUrl',
      reason: 'The request has 10 callbacks, the most there can be: use an account-wide endpoint instead.',
    });
    expect(named(urls[9])).toEqual({ kind: 'known', callback: callbacks[9] });
    expect(named(urls[9], callbacks.slice(0, 9))).toEqual({ kind: 'callback', callback: callbacks[9] });
  });

  test('names of metadata that every object has are compared as such', () => {
    expect(
      addition({ requestId: REQUEST_ID, metadata: { toString: 'x' } }, metaOf({ metadata: { a: 'x' } })),
    ).toMatchObject({
      kind: 'conflict',
    });
  });
});
