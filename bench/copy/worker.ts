import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context, SQSEvent } from 'aws-lambda';
import { createTable } from '../../lambdas/adapters/dynamodb/table.ts';
import { createCopy } from '../../lambdas/copy/copy.ts';
import { createSource } from '../../lambdas/copy/source/source.ts';
import { createPartSender } from '../../lambdas/copy/uploads/part-sender.ts';
import { createUploads } from '../../lambdas/copy/uploads/uploads.ts';
import { MIN_PART_BYTES } from '../../lambdas/domain/copying/copy-plan.ts';
import type { Hint } from '../../lambdas/domain/work.ts';
import { createClaims } from '../../lambdas/engine/claims.ts';
import { encodeHints } from '../../lambdas/engine/hint-message.ts';
import { listOf } from '../../lambdas/engine/hints.ts';
import { sinkClient, TABLE_NAME, tableClient } from './aws.ts';

/**
 * A process that is one Lambda of the copy stage: works on the rows that its parent names, and
 * passes on the hints that it sends. Killing it is what a crash of a Lambda is.
 */
export type WorkerOptions = {
  readonly tableUrl: string;
  readonly sinkUrl: string;
  readonly certFile: string;
  /** The loopback address that it fetches from: its own network, as far as limits go. */
  readonly address: string;
  readonly memoryMiB: number;
};
export type WorkerMessage = { readonly ready: true } | { readonly done: true } | { readonly hint: Hint };

const options = JSON.parse(process.argv[2] ?? '{}') as WorkerOptions;
const ca = readFileSync(options.certFile, 'utf8');
const now = Date.now;
const table = createTable(tableClient(options.tableUrl), TABLE_NAME);
const tell = (message: WorkerMessage) => process.send?.(message);

const handler = createCopy({
  table,
  claims: createClaims(table, now, randomUUID),
  hints: {
    send: async (due) => {
      for (const { lane, ...hint } of listOf(due)) if (lane === 'copy') tell({ hint });
    },
  },
  retentionDays: 30,
  source: createSource({ allowLoopback: true, now, ca, resolve: async () => [options.address] }),
  uploads: createUploads(sinkClient(options.sinkUrl)),
  sender: createPartSender({ ca }),
  now,
  sleep,
  partLimits: { memoryMiB: options.memoryMiB, minPartBytes: MIN_PART_BYTES },
  bucket: 'videos',
  keyTemplate: '{requestId}.{ext}',
  count: () => {},
  log: { info: () => {} },
});

process.on('message', async ({ pk, sk, dueAt }: Hint) => {
  const body = encodeHints('copy', [{ pk, sk, dueAt }]);
  const event = { Records: [{ messageId: 'bench', body }] } as unknown as SQSEvent;
  await handler(event, { getRemainingTimeInMillis: () => 900_000 } as Context);
  tell({ done: true });
});
process.on('disconnect', () => process.exit());
tell({ ready: true });
