import { expect, test } from 'vitest';
import { onPaper } from '../../../bench/copy/paper.ts';

test('200 GiB are minutes of ten workers, each segment one invocation, and cost cents', () => {
  const { minutes, invocationsPerSegment, dollars } = onPaper(200 * 1024 ** 3, {
    workers: 10,
    memoryMiB: 1024,
  });
  expect(minutes).toBeLessThan(10);
  expect(invocationsPerSegment).toBe(1);
  expect(dollars.total).toBeLessThan(0.1);
});
