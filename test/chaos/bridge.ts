import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { createTable } from '../../lambdas/adapters/dynamodb/table.ts';
import { log } from '../../lambdas/adapters/lambda/log.ts';
import { LANES, type Lane } from '../../lambdas/domain/work.ts';
import { startDynamo } from '../../local/aws/emulators.ts';
import { startS3 } from '../../local/s3/server.ts';
import { startTopaz } from '../../local/topaz/server.ts';
import { newTable } from '../support/dynamodb.ts';
import { UNSIGNED } from '../support/unsigned.ts';
import { createApiCalls } from './api-calls.ts';
import { createAwsWorld } from './aws-transport.ts';
import { CLOCKS_APART_MS, chooseFaults, type FaultKind } from './faults.ts';
import { createFunctions } from './functions.ts';
import type { EventView, History } from './history.ts';
import { observe } from './observe.ts';
import { createPermissionLog } from './permission-log.ts';
import { createQueues } from './queues.ts';
import type { Random } from './random.ts';
import { refuseRealCalls } from './real-calls.ts';
import { createReceivers } from './receivers.ts';
import { Actor, Simulation } from './simulation.ts';
import { API_KEY, coldStartTick, TOPAZ_KEY, type World } from './stages.ts';
import { type Job, PART_BYTES } from './upstream.ts';
import { createUsers } from './users.ts';
import { useVirtualTimers } from './virtual-timers.ts';

/** What several runs use one after the other: emulators that speak over HTTP. */
export type Emulators = Awaited<ReturnType<typeof startEmulators>>;

export const START = Date.parse('2026-11-23T20:00:00.000Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** A row that is due later than this after the end of faults is never done: a whole retry schedule fits, twice. */
const LONGEST_CALM_MS = 180 * HOUR;
/** Within this time of its due time a free worker takes up a row. */
const TAKEN_UP_MS = 2 * MINUTE;
/** A row that waits for longer is not taken up any more. */
const FORGOTTEN_MS = HOUR;
const CREDENTIALS = { accessKeyId: 'simulated', secretAccessKey: 'simulated' };

export async function startEmulators() {
  const clock = { now: () => START };
  const dir = mkdtempSync(join(tmpdir(), 'chaos-'));
  const [dynamo, s3, topaz] = await Promise.all([
    startDynamo(),
    startS3({ dir, credentials: (id) => id, now: Date.now, minPartBytes: PART_BYTES }),
    startTopaz({ apiKey: TOPAZ_KEY, now: () => clock.now() }),
  ]);
  return {
    clock,
    dynamodbUrl: dynamo.url,
    s3,
    topazUrl: topaz.url,
    stop: async () => {
      await Promise.all([dynamo.stop(), s3.close(), topaz.close()]);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

let runs = 0;

type BridgeOptions = {
  readonly random: Random;
  /** Only these kinds of faults, whatever the seed says. */
  readonly only?: readonly FaultKind[] | undefined;
  /** When virtual time begins, ms. */
  readonly start?: number;
  /** Called with each thing that happens. */
  readonly onNote?: ((line: string) => void) | undefined;
};

type Expected = Pick<History, 'promptMs' | 'sendsOnce'>;

export type Bridge = Awaited<ReturnType<typeof startBridge>>;

/** The whole bridge in virtual time, with users, receivers and a simulated Topaz around it. */
export async function startBridge(
  emulators: Emulators,
  { random, only, start = START, onNote }: BridgeOptions,
) {
  const simulation = new Simulation(random, start);
  simulation.onNote = onNote;
  emulators.clock.now = () => Math.floor(simulation.now);
  const faults = chooseFaults(simulation, random, only);
  const said: { where: string; text: string }[] = [];
  const crashes: Error[] = [];
  const lateRows = new Map<string, History['lateRows'][number]>();
  const storedWhenReceived: { webhook: string; there: boolean }[] = [];
  const bucket = `chaos-${++runs}`;
  const s3 = new S3Client({
    endpoint: emulators.s3.url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: CREDENTIALS,
  });
  emulators.s3.createBucket(bucket);
  const dynamodb = new DynamoDBClient({
    ...UNSIGNED,
    endpoint: emulators.dynamodbUrl,
    region: 'us-east-1',
    credentials: CREDENTIALS,
  });
  const tableName = await newTable(dynamodb);
  let pump: (lane: Lane) => void = () => {};
  const permissions = createPermissionLog(simulation);
  const queues = createQueues(
    simulation,
    faults,
    permissions,
    (lane, at) => void simulation.at(at, () => pump(lane)),
  );
  const receivers = createReceivers(simulation, faults);
  const world: World = {
    simulation,
    faults,
    aws: createAwsWorld(simulation, faults, permissions, tableName),
    queues,
    receivers,
    tableName,
    bucket,
    dynamodbUrl: emulators.dynamodbUrl,
    s3Url: emulators.s3.url,
    topazUrl: emulators.topazUrl,
    onReceived: noteStored,
    onCrash: (where, error) => crashes.push(new Error(`a handler of ${where} rejected`, { cause: error })),
  };
  const functions = createFunctions(world);
  ({ pump } = functions);
  const api = createApiCalls(world, functions, (where, text) => {
    if (!/secret|POST \/v1\/endpoints$/.test(where)) said.push({ where, text });
  });
  const setUp = (job: Job) =>
    simulation.call('set up a job', { there: 0, back: 0 }, () => setUpJob(emulators.topazUrl, job));
  const users = createUsers(simulation, faults, api, setUp);
  const undo = [useVirtualTimers(simulation), refuseRealCalls(simulation), captureLogs(said)];
  return {
    simulation,
    faults,
    world,
    permissions,
    /** A client of the table itself, without faults. */
    dynamodb,
    queues,
    receivers,
    functions,
    api,
    users,
    setUpJob: setUp,
    tick,
    settle,
    stop: () => {
      for (const each of undo) each();
      dynamodb.destroy();
      s3.destroy();
    },
  };

  /**
   * Lets all come to its end, and tells what there is then, and how many calls that took.
   *
   * @param expected what the faults so far leave to be promised
   */
  async function settle(expected: Expected): Promise<{ history: History; calls: number }> {
    const calmAt = simulation.now;
    let quietAt = await becomeQuiet();
    receivers.revive();
    quietAt &&= await becomeQuiet();
    if (crashes[0]) throw crashes[0];
    const { calls } = simulation;
    simulation.crash = undefined;
    return { history: { ...(await lookAt(calmAt, quietAt)), ...expected }, calls };
  }

  /** Looks, when a receiver is told of a stored video, whether it is there. */
  async function noteStored(body: string): Promise<void> {
    const { id, type, data } = JSON.parse(body) as EventView;
    if (type !== 'video.stored') return;
    const { key = '' } = data.video as { key?: string };
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: key }));
    storedWhenReceived.push({ webhook: id, there: Contents.some((object) => object.Key === key) });
  }

  /** One sweep, by a container of its own; one that may die never ends then. */
  function tick({ mortal = false } = {}): Promise<void> {
    const actor = new Actor('tick', functions.newSkew());
    actor.fuse = functions.newFuse(actor, () => {
      actor.alive = false;
    });
    if (mortal) {
      actor.die = () => {
        actor.alive = false;
      };
    }
    return simulation
      .as(actor, async () => {
        await coldStartTick(world)();
      })
      .catch((error: unknown) => simulation.note('tick failed', String(error)));
  }

  /** Lets time pass, from one due row to the next, until no row is due any more. Undefined when that never comes. */
  async function becomeQuiet(): Promise<number | undefined> {
    const table = createTable(dynamodb, tableName);
    const end = simulation.now + LONGEST_CALM_MS;
    await simulation.runFor(simulation.as(new Actor('person'), mend));
    for (;;) {
      const next = await Promise.all(
        LANES.map(async (lane) => (await table.due(lane, Number.MAX_SAFE_INTEGER, 1))[0]?.dueAt),
      );
      const due = next.filter((at) => at !== undefined);
      if (due.length === 0) return simulation.now;
      const wait = Math.max(MINUTE, Math.min(...due) + 5_001 - simulation.now);
      if (simulation.now + wait > end) return undefined;
      await simulation.runUntil(simulation.now + wait);
      await simulation.runFor(tick());
      await simulation.runUntil(simulation.now + 5_000);
      for (const lane of LANES) {
        for (const { pk, sk, dueAt } of await table.due(lane, simulation.now - TAKEN_UP_MS, 100)) {
          lateRows.set(`${pk} ${sk}`, { pk, sk, lane, lateMs: simulation.now - dueAt });
        }
      }
      if ([...lateRows.values()].some(({ lateMs }) => lateMs > FORGOTTEN_MS)) return undefined;
    }
  }

  /** What a person does after an outage: enables what is disabled or was given up, and releases what is parked. */
  async function mend(): Promise<void> {
    const callbacks = await api.list<{ id: string; enabled: boolean }>('/v1/endpoints?kind=callback');
    const others = await api.list<{ id: string; enabled: boolean }>('/v1/endpoints');
    for (const { id, enabled } of [...callbacks, ...others]) {
      if (!enabled) await api.call('PATCH', `/v1/endpoints/${id}`, { enabled: true });
    }
    // What is under way may still be parked by what it met before.
    for (let round = 0; round < 3; round++) {
      await simulation.sleep(15 * MINUTE);
      await simulation.as(new Actor('tick'), () => coldStartTick(world)());
      for (const { job } of users.requests) {
        const { status, body } = await api.call('GET', `/v1/requests/${job.requestId}`);
        if (status === 200 && body.state === 'parked')
          await api.call('POST', `/v1/requests/${job.requestId}/poll`);
      }
    }
  }

  /** Asks the API, the bucket and the table what there is now. */
  async function lookAt(calmAt: number, quietAt: number | undefined): Promise<Omit<History, keyof Expected>> {
    const visitor = new Actor('visitor');
    const seen = <T>(work: () => Promise<T>) => simulation.runFor(simulation.as(visitor, work));
    const observed = await observe({
      api: {
        call: (...args) => seen(() => api.call(...args)),
        list: (url) => seen(() => api.list(url)),
      },
      requests: users.requests,
      endpoints: users.endpoints,
      begunAt: start,
      dynamodb,
      tableName,
      s3,
      bucket,
      sourcesServe: !faults.kinds.has('download faults'),
      secrets: [
        { name: 'the key of the API', value: API_KEY },
        { name: 'the key of Topaz', value: TOPAZ_KEY },
        { name: 'a download URL', value: `${emulators.topazUrl}/download/`, rows: ' (COPY|SEGMENT)' },
        { name: 'a signature of S3', value: 'X-Amz-Signature=' },
      ],
    });
    return {
      ...observed,
      clocksApartMs: CLOCKS_APART_MS,
      calmAt,
      quietAt,
      received: receivers.received,
      storedWhenReceived,
      lateRows: [...lateRows.values()],
      said,
    };
  }
}

async function setUpJob(topazUrl: string, { requestId, bytes, statuses, faults }: Job): Promise<void> {
  const job = {
    requestId,
    bytes,
    trace: {
      statuses,
      progress: [
        [0, 0],
        [60, 50],
      ],
    },
    faults,
  };
  const answer = await fetch(`${topazUrl}/_sim/jobs`, { method: 'POST', body: JSON.stringify(job) });
  if (answer.status !== 201) throw new Error(`the job is refused: ${await answer.text()}`);
}

/** Keeps what the stages log. */
function captureLogs(said: { where: string; text: string }[]): () => void {
  const levels = ['debug', 'info', 'warn', 'error'] as const;
  const real = levels.map((level) => [level, log[level]] as const);
  for (const level of levels) {
    log[level] = (...line: unknown[]) => void said.push({ where: 'log', text: line.map(inFull).join(' ') });
  }
  return () => {
    for (const [level, write] of real) log[level] = write;
  };
}

const inFull = (part: unknown): string =>
  part instanceof Error
    ? `${part.name} ${part.message} ${part.stack}`
    : (JSON.stringify(part, (_, value) => (value instanceof Error ? inFull(value) : value)) ?? '');
