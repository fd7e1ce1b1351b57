import { expect, test } from 'vitest';
import { mustAsk, type UpstreamCheckRow } from '../../../../lambdas/domain/polling/upstream-check.ts';
import { upstreamCheckKey } from '../../../../lambdas/domain/rows.ts';
import { START } from '../../../support/rows.ts';

const asked = (answer?: UpstreamCheckRow['answer']): UpstreamCheckRow => ({
  ...upstreamCheckKey,
  askedAt: START,
  ...(answer && { answer }),
});
const answered = (outcome: 'accepted' | 'unauthorized' | 'fault') =>
  asked({ at: START + 1_000, durationMs: 5, outcome });

test('what was never asked is asked', () => {
  expect(mustAsk(undefined, START)).toBe(true);
});

test.each([
  ['a question without an answer', asked(), START + 30_000],
  ['a good answer', answered('accepted'), START + 61_000],
  ['a refusal of the key', answered('unauthorized'), START + 11_000],
  ['no answer of Topaz', answered('fault'), START + 11_000],
])('%s is young enough until its time is over', (_name, last, until) => {
  expect([mustAsk(last, START), mustAsk(last, until), mustAsk(last, until + 1)]).toEqual([
    false,
    false,
    true,
  ]);
});
