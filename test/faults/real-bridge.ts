import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { ScanCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { workOf } from '../../lambdas/domain/rows.ts';
import { LANES, type Lane, type RowKey } from '../../lambdas/domain/work.ts';
import type { AwsCall } from '../../local/aws/front-door.ts';
import { startBridge } from '../../local/bridge.ts';
import { startReceiver } from '../../local/receiver.ts';
import { synthesize } from '../../local/runtime/synthesize.ts';
import { startTopaz } from '../../local/topaz/server.ts';
import { generatedSha256 } from '../../local/topaz/video.ts';
import type { Answer, ApiCalls } from '../chaos/api-calls.ts';
import type { History } from '../chaos/history.ts';
import { observe } from '../chaos/observe.ts';
import type { Received } from '../chaos/receivers.ts';
import type { Job } from '../chaos/upstream.ts';
import type { Made, Tracked } from '../chaos/users.ts';

/** Whose processes are killed, at which of their AWS calls, and on which side of its effect. */
export type Kill = { readonly caller: string; readonly atCall: number; readonly when: 'before' | 'after' };

export type RealBridge = Awaited<ReturnType<typeof startRealBridge>>;

const TOPAZ_KEY = 'topaz-key-that-nobody-may-see';
/** Within this time everything is done, whichever process was killed. */
const QUIET_WITHIN_MS = 150_000;
const LOOK_EVERY_MS = 200;
const TRIES = 50;
/** Calls that Lambda makes in the name of a function, whose processes know nothing of them. */
const OF_LAMBDA = ['ReceiveMessage', 'DeleteMessageBatch'];
const LANES_OF: Readonly<Record<string, readonly Lane[]>> = {
  poll: ['poll'],
  copy: ['copy'],
  dispatch: ['dispatch'],
  deliver: ['deliver', 'deliver-slow'],
};

/** The last look at an endpoint comes minutes after the work on it; nothing is left to do then. */
const LAST_LOOKS = ['gate', 'cancellation', 'erasure'];
const SOON_MS = 5_000;
/** Within this time the calls that a killed process had under way have their effect. */
const EFFECT_MS = 250;

const isLastLook = (row: RowKey & { dueAt?: unknown; owner?: unknown }): boolean =>
  row.owner === undefined &&
  LAST_LOOKS.includes(workOf(row).kind) &&
  Number(row.dueAt) > Date.now() + SOON_MS;

/** It ends minutes after its story; what it erases is checked separately. */
const isErasure = (row: RowKey): boolean => ['cancellation', 'erasure'].includes(workOf(row).kind);

/** The local runtime with its users, in real time: each function's bundle runs in processes of its own, which can be killed. */
export async function startRealBridge() {
  const said: { where: string; text: string }[] = [];
  const received: Received[] = [];
  const topaz = await startTopaz({ apiKey: TOPAZ_KEY });
  const receiver = await startReceiver({
    secrets: () => [],
    onWebhook: ({ receivedAt, path, headers, rawBody, statusCode }) =>
      received.push({
        at: Date.parse(receivedAt),
        url: receiver.url + path,
        headers,
        body: rawBody,
        answer: statusCode,
      }),
  });
  const bridge = await startBridge({
    templateDir: await synthesize(),
    tickSeconds: 1,
    maxWorkers: 3,
    env: { TOPAZ_BASE_URL: topaz.url, ALLOW_LOOPBACK: 'true' },
    secrets: { TOPAZ_API_KEY_SECRET_ARN: TOPAZ_KEY },
    aws: { clockSkewMs: 0 },
    log: ({ source, line }) => said.push({ where: `the log of ${source}`, text: line }),
  });
  const api: ApiCalls = { call, list };
  const requests: Tracked[] = [];
  const endpoints: Made[] = [];
  const former = new Set<string>();
  let calls: Record<string, number> = {};
  let kill: Kill | undefined;
  let mended: Promise<void> | undefined;

  bridge.setFaults((made) => {
    if (OF_LAMBDA.includes(made.operation)) return undefined;
    const { caller } = made;
    calls[caller] = (calls[caller] ?? 0) + 1;
    if (kill?.caller !== caller || kill.atCall !== calls[caller]) return undefined;
    const { when } = kill;
    return { kind: when === 'before' ? 'lose-request' : 'lose-answer', onLoss: () => killAll(made) };
  });

  function killAll({ caller }: AwsCall): void {
    for (const pid of bridge.pids(caller)) process.kill(pid, 'SIGKILL');
    mended = endLeases(LANES_OF[caller] ?? []);
  }

  /** What the killed workers owned is due now: otherwise each death would cost 90 seconds. */
  async function endLeases(lanes: readonly Lane[]): Promise<void> {
    await pause(EFFECT_MS);
    for (const { pk, sk, lane, owner } of await dueRows()) {
      if (!owner || !lanes.some((each) => each === lane?.S)) continue;
      await bridge.dynamo.send(
        new UpdateItemCommand({
          TableName: bridge.table,
          Key: { pk: pk!, sk: sk! },
          UpdateExpression: 'SET dueAt = :past',
          ExpressionAttributeValues: { ':past': { N: String(Date.now() - 10_000) } },
        }),
      );
    }
  }

  async function dueRows() {
    const { Items = [] } = await bridge.dynamo.send(new ScanCommand({ TableName: bridge.table }));
    return Items.filter(
      ({ pk, sk, lane, owner, dueAt }) =>
        (owner || LANES.some((each) => each === lane?.S)) &&
        !isLastLook({ pk: pk?.S ?? '', sk: sk?.S ?? '', dueAt: dueAt?.N, owner }),
    );
  }

  /** One call, and the same again while the API does not take a stand. */
  async function call(method: string, path: string, body?: unknown): Promise<Answer> {
    const key = method === 'POST' ? { 'idempotency-key': randomUUID() } : undefined;
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      const response = await fetch(bridge.apiUrl + path, {
        method,
        headers: {
          authorization: `Bearer ${bridge.apiKey}`,
          'content-type': 'application/json',
          ...key,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!/secret|\/v1\/endpoints$/.test(path)) said.push({ where: `${method} ${path}`, text });
      if (response.status < 500 && response.status !== 429)
        return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
      await pause(LOOK_EVERY_MS);
    }
    throw new Error(`${method} ${path} fails again and again`);
  }

  async function list<T>(path: string): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | undefined;
    do {
      const from = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const { status, body } = await call('GET', `${path}?limit=100${from}`);
      if (status !== 200) return items;
      items.push(...(body.items as T[]));
      cursor = body.cursor;
    } while (cursor !== undefined);
    return items;
  }

  const urlOf = (name: string) =>
    `${receiver.url}/${name}-${requests.length}-${endpoints.length}-${former.size}`;

  async function makeEndpoint(name: string, kind = 'http', filter: string[] = ['video.*']): Promise<Made> {
    const url = urlOf(name);
    const target = kind === 'pull' ? {} : { url };
    const { status, body } = await call('POST', '/v1/endpoints', { kind, events: filter, ...target });
    if (status !== 201) throw new Error(`an endpoint is refused: ${JSON.stringify(body)}`);
    const createdAt = Date.now();
    const { id, secret } = body as { id: string; secret: string };
    const made = { id, kind, url, filter, ordered: false, steady: false, createdAt, secrets: [secret] };
    endpoints.push(made);
    return made;
  }

  /** Sets up a job that is complete after two seconds. */
  async function newJob(bytes: number, faults: Job['faults'], copy: boolean): Promise<Tracked> {
    const requestId = randomUUID();
    const statuses = [
      ['postprocessing', 0],
      ['complete', 2],
    ] as const;
    const startedAt = Date.now();
    const options = { requestId, bytes, trace: { statuses, progress: [[0, 99]] }, faults };
    const answer = await fetch(`${topaz.url}/_sim/jobs`, { method: 'POST', body: JSON.stringify(options) });
    if (answer.status !== 201) throw new Error(`the job is refused: ${await answer.text()}`);
    const job = {
      requestId,
      bytes,
      sha256: generatedSha256(requestId, bytes),
      statuses,
      faults,
      isOrderly: true,
    };
    const tracked: Tracked = { job, startedAt, copy, commands: [], callbacks: [], registering: 0 };
    requests.push(tracked);
    return tracked;
  }

  async function register({
    bytes = 1_000,
    faults = [] as Job['faults'],
    copy = false,
    callback = false,
  } = {}): Promise<Tracked> {
    const tracked = await newJob(bytes, faults, copy);
    const { requestId } = tracked.job;
    const hook = callback ? { callbackUrl: urlOf('callback'), events: ['video.*'] } : {};
    const { status, body } = await call('POST', '/v1/requests', { requestId, copy, ...hook });
    if (status !== 201 && status !== 200) throw new Error(`a request is refused: ${JSON.stringify(body)}`);
    return tracked;
  }

  /** Until no row has work left, nor an owner. */
  async function quiet(): Promise<boolean> {
    const end = Date.now() + QUIET_WITHIN_MS;
    while (Date.now() < end) {
      await mended;
      if ((await dueRows()).length === 0) return true;
      await pause(LOOK_EVERY_MS);
    }
    return false;
  }

  /** Plays a story, in which some processes may be killed, and tells what there is when all is quiet. */
  async function play(story: () => Promise<void>, planned?: Kill) {
    for (const { job } of requests.splice(0)) former.add(job.requestId);
    for (const { id } of endpoints.splice(0)) former.add(id);
    received.length = 0;
    said.length = 0;
    calls = {};
    kill = planned;
    mended = undefined;
    const begunAt = Date.now();
    await story();
    const isQuiet = await quiet();
    const counted = calls;
    kill = undefined;
    const now = await observe({
      api,
      requests,
      endpoints,
      begunAt,
      dynamodb: bridge.dynamo,
      tableName: bridge.table,
      s3: bridge.s3,
      bucket: bridge.bucket,
      sourcesServe: true,
      secrets: [
        { name: 'the key of the API', value: bridge.apiKey },
        { name: 'the key of Topaz', value: TOPAZ_KEY },
        { name: 'a download URL', value: `${topaz.url}/download/`, rows: ' (COPY|SEGMENT)' },
        { name: 'a signature of S3', value: 'X-Amz-Signature=' },
      ],
    });
    const isFormer = (key: string) => [...former].some((id) => key.includes(id));
    const history: History = {
      ...now,
      unfinishedRows: now.unfinishedRows.filter((row) => !isErasure(row) && !isLastLook(row)),
      bucket: {
        objects: now.bucket.objects.filter(({ key }) => !isFormer(key)),
        uploads: now.bucket.uploads,
      },
      clocksApartMs: 0,
      promptMs: Number.POSITIVE_INFINITY,
      sendsOnce: false,
      lateRows: [],
      calmAt: begunAt,
      quietAt: isQuiet ? Date.now() : undefined,
      received: [...received],
      storedWhenReceived: [],
      said: [...said],
    };
    for (const { id, deletedAt } of endpoints) {
      if (deletedAt === undefined) await call('DELETE', `/v1/endpoints/${id}`);
    }
    await quiet();
    return {
      history,
      calls: counted,
      killed: planned !== undefined && (counted[planned.caller] ?? 0) >= planned.atCall,
    };
  }

  async function stop(): Promise<void> {
    await bridge.stop();
    await receiver.close();
    await topaz.close();
  }

  /** How the receiver answers at an endpoint's address. */
  async function behave({ url }: Made, behavior: { status: number; times?: number }): Promise<void> {
    const path = new URL(url).pathname;
    await fetch(`${receiver.url}/_behave`, { method: 'POST', body: JSON.stringify({ path, ...behavior }) });
  }

  /** Waits until the bridge has observed so many events of a request. */
  async function observed({ job }: Tracked, events: number): Promise<void> {
    for (;;) {
      const { body } = await call('GET', `/v1/requests/${job.requestId}`);
      if (body.sequence >= events) return;
      await pause(LOOK_EVERY_MS);
    }
  }

  return { observed, api, makeEndpoint, newJob, register, quiet, behave, play, received, stop };
}
