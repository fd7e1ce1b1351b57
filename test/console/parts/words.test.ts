import { expect, test } from 'vitest';
import { span } from '../../../console/parts/words.ts';

test('a span never has sixty seconds beside its minutes', () => {
  expect([999.6, 9_960, 59_700, 119_700, 3_599_700].map(span)).toEqual([
    '1.0 s',
    '10 s',
    '1 min',
    '2 min',
    '1 h',
  ]);
});
