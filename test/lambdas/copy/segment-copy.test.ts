import { expect, test, vi } from 'vitest';
import { createBuffers } from '../../../lambdas/copy/buffers.ts';
import type { CopyDependencies } from '../../../lambdas/copy/copy-dependencies.ts';
import { SegmentCopy } from '../../../lambdas/copy/segment-copy.ts';
import type { Filling } from '../../../lambdas/copy/source/range-connection.ts';
import { SourceError } from '../../../lambdas/copy/source/source-error.ts';
import { newCopy, type SegmentRow } from '../../../lambdas/domain/copying/copy.ts';
import { MIN_PART_BYTES } from '../../../lambdas/domain/copying/copy-plan.ts';
import type { ByteRange } from '../../../lambdas/domain/copying/source-answer.ts';
import type { Claim } from '../../../lambdas/engine/claim-writes.ts';

test('a worker whose URL was refused asks for no other when one has come before its last part is sent', async () => {
  const at = 1_000;
  const ids = { requestId: 'r', copyId: 'c' };
  const copy = {
    ...newCopy(ids, { url: 'https://source.example/1' }, undefined, at),
    state: 'copying' as const,
  };
  const renewed = { ...copy, source: { ...copy.source, url: 'https://source.example/2', version: 2 } };
  const upload = { id: 'u', size: 16, partSize: 8, segments: 1 };
  const row = { segment: 0, generation: 1, firstPart: 1, lastPart: 2, copiedBytes: 0, requestId: 'r' };
  const claim = { row, leaseEnd: at + 90_000 } as unknown as Claim<SegmentRow>;
  const firstSent = Promise.withResolvers<undefined>();
  const askForUrl = vi.fn(async () => []);
  const release = vi.fn(async () => []);
  let looks = 0;
  const use = {
    now: () => at,
    partLimits: { memoryMiB: 256, minPartBytes: MIN_PART_BYTES },
    buffers: createBuffers(),
    sleep: async () => {},
    hint: async () => {},
    count: () => {},
    log: { info: () => {} },
    claims: { renew: async () => true },
    segments: { release },
    shown: { showFailure: async () => {} },
    copies: {
      askForUrl,
      get: async () => {
        firstSent.resolve(undefined);
        return ++looks === 1 ? copy : renewed;
      },
    },
    source: {
      read: async (_url: string, range: ByteRange, _content: unknown, into: Filling) => {
        if (range.start > 0) throw new SourceError({ kind: 'refused', reason: 'the source answered 403' });
        into.filled = range.length;
      },
    },
    uploads: { parts: async () => [], signPart: async () => ({ url: '', headers: {} }) },
    sender: { send: () => firstSent.promise },
  } as unknown as CopyDependencies;

  await new SegmentCopy(use, claim, copy, upload, { bucket: 'b', key: 'k', uploadId: 'u' }).run(at + 900_000);

  expect(looks).toBe(2);
  expect(askForUrl).not.toHaveBeenCalled();
  expect(release).toHaveBeenCalledWith(claim, at, { copiedBytes: 8, consecutiveFailures: undefined });
});
