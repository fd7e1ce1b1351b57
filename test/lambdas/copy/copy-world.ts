import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import type { Context, SQSEvent } from 'aws-lambda';
import { createCopy } from '../../../lambdas/copy/copy.ts';
import { createSource, type SourceOptions } from '../../../lambdas/copy/source/source.ts';
import { createPartSender } from '../../../lambdas/copy/uploads/part-sender.ts';
import { createUploads, UPLOADS_CLIENT } from '../../../lambdas/copy/uploads/uploads.ts';
import {
  type CopyRow,
  newCopy,
  renewedSource,
  type SegmentRow,
} from '../../../lambdas/domain/copying/copy.ts';
import type { EventRow } from '../../../lambdas/domain/events/event.ts';
import type { RequestRow } from '../../../lambdas/domain/requests/request.ts';
import { copyKey, metaKey, outboxKey, requestKey } from '../../../lambdas/domain/rows.ts';
import type { Hint } from '../../../lambdas/domain/work.ts';
import { createClaims } from '../../../lambdas/engine/claims.ts';
import { encodeHints } from '../../../lambdas/engine/hint-message.ts';
import { wake } from '../../../lambdas/engine/wake.ts';
import { startS3 } from '../../../local/s3/server.ts';
import { startTopaz } from '../../../local/topaz/server.ts';
import { mortal } from '../../faults/mortal-worker.ts';
import { type TestClock, testClock } from '../../support/claims.ts';
import type { TestDatabase } from '../../support/dynamodb.ts';
import { settle } from '../../support/lagging-reads.ts';
import { recordHints } from '../../support/recorded-hints.ts';
import { requestRow } from '../../support/rows.ts';
import { startFaultyProxy } from './faulty-proxy.ts';

export const BUCKET = 'videos';
const MIB = 1024 ** 2;
/** What a worker of little memory cuts a video into, and this bucket takes: a fifth of S3's smallest, for speed. */
export const PART = MIB;
/** Three parts, one segment. */
export const SIZE = 2 * PART + 7;
const API_KEY = 'topaz-key';
/** What is due later is watched only, or waits for a URL. */
const HORIZON_MS = 1_900_000;

/** The SDK's three attempts, without its waits. */
const AT_ONCE: S3ClientConfig['retryStrategy'] = {
  acquireInitialRetryToken: async () => attempt(0),
  refreshRetryTokenForRetry: async (token: { getRetryCount(): number }) => {
    if (token.getRetryCount() === 2) throw new Error('the last attempt has failed');
    return attempt(token.getRetryCount() + 1);
  },
  recordSuccess: () => {},
};
const attempt = (count: number) => ({
  getRetryCount: () => count,
  getRetryDelay: () => 0,
  getRetryCost: () => undefined,
});

export type CopyWorld = Awaited<ReturnType<typeof startCopyWorld>>;
type WorldOptions = {
  database: TestDatabase;
  clock?: TestClock;
  stallMs?: number;
  memoryMiB?: number;
  resolve?: SourceOptions['resolve'];
  /** Whether it is made for several tests: its hints are not checked. */
  shared?: boolean;
};

/**
 * The copy stage between a simulated Topaz and a local S3, over HTTP. Time stands still until
 * {@link runAll} moves it to the next row that is due.
 */
export async function startCopyWorld({
  database,
  clock = testClock(Date.now()),
  stallMs = 2_000,
  memoryMiB = 256,
  resolve,
  shared = false,
}: WorldOptions) {
  const { table } = database;
  const { now } = clock;
  const dir = mkdtempSync(join(tmpdir(), 'copy-'));
  const s3 = await startS3({ dir, credentials: (id) => id, now: Date.now, minPartBytes: PART });
  s3.createBucket(BUCKET);
  const proxy = await startFaultyProxy(s3.url);
  const topaz = await startTopaz({ apiKey: API_KEY, now });
  const client = (endpoint: string) =>
    new S3Client({
      ...UPLOADS_CLIENT,
      endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId: 'copy', secretAccessKey: 'copy' },
      retryStrategy: AT_ONCE,
    });
  const [faulty, direct] = [client(proxy.url), client(s3.url)];
  const source = createSource({ allowLoopback: true, now, stallMs, resolve });
  const sender = createPartSender();
  const hints = recordHints(table, { shared });
  const counted: Record<string, number> = {};
  const logged: string[] = [];

  /** A worker of its own: nothing in memory is shared with another. It dies when told. */
  function newWorker(life = mortal(undefined)) {
    const mine = life.table(table);
    const s3Client: S3Client = Object.assign(Object.create(faulty), {
      send: (command: never) => life.call(() => faulty.send(command)),
    });
    const handler = createCopy({
      table: mine,
      claims: createClaims(mine, now, randomUUID),
      hints,
      retentionDays: 30,
      source: {
        ...source,
        probe: (...given) => life.call(() => source.probe(...given)),
        read: (...given) => life.call(() => source.read(...given)),
        stream: (...given) => life.call(() => source.stream(...given)),
      },
      uploads: createUploads(s3Client),
      sender: {
        ...sender,
        send: (...given) => life.call(() => sender.send(...given)),
      },
      now,
      sleep: async () => {},
      partLimits: { memoryMiB, minPartBytes: PART },
      bucket: BUCKET,
      keyTemplate: 'videos/{requestId}/{filename}',
      count: (metric, value = 1) => {
        counted[metric] = (counted[metric] ?? 0) + value;
      },
      log: { info: (message, extra) => logged.push(`${message} ${JSON.stringify(extra)}`) },
    });
    return async ({ pk, sk, dueAt }: Hint, remainingMs = 900_000): Promise<void> => {
      const body = encodeHints('copy', [{ pk, sk, dueAt }]);
      const event = { Records: [{ messageId: randomUUID(), body }] } as unknown as SQSEvent;
      await handler(event, { getRemainingTimeInMillis: () => remainingMs } as Context);
    };
  }
  const worker = newWorker();

  async function sim(path: string, body: unknown): Promise<void> {
    const answer = await fetch(`${topaz.url}/_sim/${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(await answer.text());
  }

  async function freshDownload(requestId: string): Promise<{ url: string; expiresAt: number } | undefined> {
    const answer = await fetch(`${topaz.url}/video/${requestId}/status`, {
      headers: { 'x-api-key': API_KEY },
    });
    return ((await answer.json()) as { download?: { url: string; expiresAt: number } }).download;
  }

  /** A completed job of so many bytes, whose copy is due. */
  async function begin(
    bytes: number,
    { faults = [] as unknown[], url }: { faults?: unknown[]; url?: string } = {},
  ): Promise<string> {
    const requestId = randomUUID();
    await sim('jobs', { requestId, bytes, trace: { statuses: [['complete', 0]] }, faults });
    const download = await freshDownload(requestId);
    if (!download) throw new Error('the job has no download');
    const { url: given, expiresAt } = download;
    await table.transact([
      {
        put: requestRow({
          requestId,
          status: 'complete',
          sequence: 3,
          position: 4,
          video: { state: 'pending' },
        }),
      },
      { put: { ...metaKey(requestId), metadata: {}, callbacks: [] } },
      { put: outboxKey({ kind: 'request', requestId }) },
      {
        put: newCopy({ requestId, copyId: randomUUID() }, { url: url ?? given, expiresAt }, undefined, now()),
      },
    ]);
    return requestId;
  }

  /** The request, erased and registered anew: its copy knows nothing of the one before. */
  async function beginAgain(requestId: string): Promise<void> {
    const { source } = await copyOf(requestId);
    for (const row of await partition(requestId)) await table.write({ delete: row });
    const row = requestRow({ requestId, status: 'complete', sequence: 3, position: 4 });
    await table.write({ put: { ...row, video: { state: 'pending' } } });
    await table.write({ put: { ...metaKey(requestId), metadata: {}, callbacks: [] } });
    await table.write({ put: outboxKey({ kind: 'request', requestId }) });
    await table.write({ put: newCopy({ requestId, copyId: randomUUID() }, source, undefined, now()) });
  }

  /** A request whose copy has ended, restarted and polled: its video is complete again. */
  async function restart(requestId: string): Promise<void> {
    const download = await freshDownload(requestId);
    if (!download) throw new Error('the job has no download');
    await table.write({
      update: requestKey(requestId),
      set: { state: 'active', video: { state: 'pending' } },
      remove: ['expiresAt'],
    });
    const copy = newCopy({ requestId, copyId: randomUUID() }, download, await copyOf(requestId), now());
    await table.write({ put: copy });
  }

  /** Stands in for the poll stage: a request whose copy wants a URL gets one when it is due. */
  async function renewUrls(until: number): Promise<boolean> {
    settle();
    const due = await table.due('poll', until, 100);
    for (const hint of due) {
      clock.advance(Math.max(0, hint.dueAt - now()));
      const request = await table.get<RequestRow>(hint);
      const copy = request && (await table.get<CopyRow>(copyKey(request.requestId)));
      const renewed = copy && renewedSource(copy, await freshDownload(copy.requestId), now());
      await table.transact([
        { update: hint, remove: ['lane', 'dueAt', 'urlWanted'] },
        ...(copy && renewed ? [wake(copy, 'copy', now(), renewed).write] : []),
      ]);
    }
    return due.length > 0;
  }

  /** The rows of the lane that are due within {@link HORIZON_MS}, oldest first. */
  const due = (): Promise<Hint[]> => {
    settle();
    return table.due('copy', now() + HORIZON_MS, 1000);
  };

  /** Moves time to the next row that is due and has its work done; false when there is none. */
  async function step(work = worker): Promise<boolean> {
    const [next] = await due();
    if (await renewUrls(next?.dueAt ?? Number.MAX_SAFE_INTEGER)) return true;
    if (!next) return false;
    clock.advance(Math.max(0, next.dueAt - now()));
    await work(next);
    return true;
  }

  /** Works until nothing is due. */
  async function runAll(mostSteps = 300): Promise<void> {
    for (let steps = 0; await step(); steps++) {
      if (steps === mostSteps)
        throw new Error(`still not done after ${mostSteps} steps: ${logged.slice(-5).join('\n')}`);
    }
  }

  const copyOf = async (requestId: string) => (await table.get<CopyRow>(copyKey(requestId))) as CopyRow;
  const requestOf = async (requestId: string) =>
    (await table.get<RequestRow>(requestKey(requestId))) as RequestRow;
  const partition = async <T extends { pk: string; sk: string }>(requestId: string, prefix?: string) =>
    (await table.query<T>({ partition: `REQ#${requestId}`, prefix, limit: 200, consistent: true })).rows;

  return {
    table,
    clock,
    hints,
    counted,
    logged,
    topaz,
    s3: direct,
    setS3Faults: proxy.setFaults,
    newWorker,
    begin,
    beginAgain,
    restart,
    sim,
    freshDownload,
    due,
    step,
    runAll,
    copyOf,
    requestOf,
    eventsOf: (requestId: string) => partition<EventRow>(requestId, 'EVENT#'),
    segmentsOf: (requestId: string) => partition<SegmentRow>(requestId, 'SEGMENT#'),
    objects: async () =>
      ((await direct.send(new ListObjectsV2Command({ Bucket: BUCKET }))).Contents ?? []).map(
        ({ Key = '' }) => Key,
      ),
    uploads: async () =>
      (await direct.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }))).Uploads ?? [],
    head: (key: string) =>
      direct.send(new HeadObjectCommand({ Bucket: BUCKET, Key: key, ChecksumMode: 'ENABLED' })),
    sha256Of: async (key: string): Promise<string> => {
      const { Body } = await direct.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
      const hash = createHash('sha256');
      for await (const chunk of Body as AsyncIterable<Buffer>) hash.update(chunk);
      return hash.digest('hex');
    },
    stop: async (): Promise<void> => {
      source.close();
      sender.close();
      faulty.destroy();
      direct.destroy();
      await Promise.all([topaz.close(), proxy.close()]);
      await s3.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
