import { expect, test } from 'vitest';
import { pairsIn } from '../../../console/parts/pairs.ts';

test('each line is a pair, and its first separator counts', () => {
  expect(pairsIn('order: 42\n\n team=a=b \nlink: https://a.example\nempty:')).toEqual({
    order: '42',
    team: 'a=b',
    link: 'https://a.example',
    empty: '',
  });
});

test('a line without a separator is refused with what to write', () => {
  expect(() => pairsIn('order: 42\nx-team')).toThrow(
    '"x-team" is not a pair: write each line as name: value.',
  );
});
