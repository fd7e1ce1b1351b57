import { describe, expect, test } from 'vitest';
import { changed, changeErrors } from '../../../../lambdas/domain/delivering/endpoint-change.ts';
import { GATE_LANE, GATE_WORK } from '../../../../lambdas/domain/delivering/gate/gate.ts';
import { endpointRow } from '../../../support/rows.ts';

const fieldsOf = (...given: Parameters<typeof changeErrors>) =>
  changeErrors(...given).map(({ path }) => path);

describe('a change is refused', () => {
  test('of what names a callback, or filters for it', () => {
    const callback = endpointRow(1, { kind: 'callback' });
    const errors = changeErrors(callback, { url: 'https://a.example/', events: ['video.*'] });
    expect(errors.map(({ path }) => path)).toEqual(expect.arrayContaining(['url', 'events']));
    expect(errors.find(({ path }) => path === 'events')?.message).toBe(
      '`events` of a callback comes from its requests; register the request with another callbackUrl.',
    );
    expect(fieldsOf(callback, { enabled: false })).toEqual([]);
  });

  test('that takes the headers of one host along to another', () => {
    const endpoint = endpointRow(1, { headers: { authorization: 'secret' } });
    const away = { url: 'https://other.example/hook' };
    expect(changeErrors(endpoint, away)).toEqual([
      { path: 'headers', message: expect.stringContaining('give them again with the new `url`') },
    ]);
    expect(fieldsOf(endpoint, { ...away, headers: {} })).toEqual([]);
    expect(fieldsOf(endpoint, { url: 'https://receiver.example/other' })).toEqual([]);
    expect(fieldsOf(endpoint, { description: 'x' })).toEqual([]);
    expect(fieldsOf(endpointRow(1), away)).toEqual([]);
  });
});

describe('a change', () => {
  test('sets what is given, and nothing else', () => {
    const given = {
      url: 'https://other.example/',
      events: ['video.*', 'video.*', 'endpoint.*'],
      description: 'new',
      rateLimit: 5,
      ordered: true,
      headers: { a: 'b' },
    };
    expect(changed(endpointRow(1), given)).toEqual({
      set: { ...given, events: ['video.*', 'endpoint.*'] },
      remove: [],
    });
    expect(changed(endpointRow(1), { busName: 'bus' })).toEqual({ set: { busName: 'bus' }, remove: [] });
    expect(changed(endpointRow(1), {})).toEqual({ set: {}, remove: [] });
  });

  test('of the limit to null takes it away', () => {
    expect(changed(endpointRow(1, { rateLimit: 5 }), { rateLimit: null })).toEqual({
      set: {},
      remove: ['rateLimit'],
    });
  });

  test('of the limit wakes a gate with a backlog at once', () => {
    const busy = endpointRow(1, { lane: GATE_LANE, rateLimit: 5 });
    expect(changed(busy, { rateLimit: 9 })).toEqual({
      set: { rateLimit: 9 },
      remove: [...GATE_WORK],
      gate: 'wakes',
    });
    expect(changed(busy, { rateLimit: null }).remove).toEqual(['rateLimit', ...GATE_WORK]);
    expect(changed(busy, { description: 'x' }).gate).toBeUndefined();
  });

  test('that says what is so already changes no state', () => {
    expect(changed(endpointRow(1), { enabled: true })).toEqual({ set: {}, remove: [] });
    expect(changed(endpointRow(1, { enabled: false }), { enabled: false })).toEqual({ set: {}, remove: [] });
  });

  test('that disables stops the gate', () => {
    expect(changed(endpointRow(1, { stateVersion: 3 }), { enabled: false })).toMatchObject({
      set: { enabled: false, stateVersion: 4, disabledReason: expect.any(String) },
      remove: [...GATE_WORK],
      gate: 'stops',
    });
  });

  test('that enables forgets why it was disabled, and wakes the gate', () => {
    const off = endpointRow(1, { enabled: false, stateVersion: 4, rateLimit: 2 });
    expect(changed(off, { enabled: true, rateLimit: null })).toMatchObject({
      set: { enabled: true, stateVersion: 5 },
      remove: ['rateLimit', ...GATE_WORK, 'disabledReason', 'gaveUp'],
      gate: 'wakes',
    });
  });
});
