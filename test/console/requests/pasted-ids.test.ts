import { expect, test } from 'vitest';
import { idsIn, MAX_IDS } from '../../../console/requests/pasted-ids.ts';

const id = (n: number) => `9f8b6c1e-4c1d-4a53-9b57-${n.toString(16).padStart(12, '0')}`;

test('ids are found in any text, each once, in lower case', () => {
  const text = `request,name\n"${id(1).toUpperCase()}",a\n{"id":"${id(2)}"} ${id(1)}\n\n`;
  expect(idsIn(text)).toEqual({ ids: [id(1), id(2)], repeated: 1, beyond: 0, otherLines: 1 });
});

test('ids beyond the most that one paste takes are counted, not taken', () => {
  const text = Array.from({ length: MAX_IDS + 5 }, (_, n) => id(n)).join('\n');
  expect(idsIn(text)).toMatchObject({ beyond: 5, otherLines: 0 });
  expect(idsIn(text).ids).toHaveLength(MAX_IDS);
});
