import { expect, test } from 'vitest';
import { type CopyFaultKind, mayPassSoon, remedyFor } from '../../../../lambdas/domain/copying/copy-fault.ts';

test.each<[CopyFaultKind, string]>([
  ['busy', 'wait'],
  ['unavailable', 'wait'],
  ['refused', 'renew'],
  ['changed', 'restart'],
  ['gone', 'restart'],
  ['unranged', 'stream'],
  ['unusable', 'fail'],
  ['hopeless', 'fail'],
  ['denied', 'park'],
  ['lost', 'stop'],
])('what is %s is met by %s', (kind, remedy) => {
  expect(remedyFor(kind)).toBe(remedy);
});

test('bytes that change again are taken for ranges that cannot be relied on', () => {
  expect(remedyFor('changed', 1)).toBe('stream');
  expect(remedyFor('gone', 1)).toBe('restart');
});

test('only what may pass within seconds is tried again by the same worker', () => {
  const kinds: CopyFaultKind[] = ['busy', 'broken', 'corrupt', 'unavailable', 'unranged'];
  expect(kinds.filter((kind) => !mayPassSoon(kind))).toEqual([]);
  const others: CopyFaultKind[] = [
    'refused',
    'changed',
    'unusable',
    'gone',
    'denied',
    'taken',
    'hopeless',
    'lost',
  ];
  expect(others.filter((kind) => mayPassSoon(kind))).toEqual([]);
});
