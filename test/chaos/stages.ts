import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { createTable } from '../../lambdas/adapters/dynamodb/table.ts';
import type { SafeHttp } from '../../lambdas/adapters/http/safe-http.ts';
import { AWS_CLIENT, WORKER_DYNAMODB_CLIENT } from '../../lambdas/adapters/lambda/aws-client.ts';
import { log } from '../../lambdas/adapters/lambda/log.ts';
import { addMetric } from '../../lambdas/adapters/lambda/metrics.ts';
import { createSecret } from '../../lambdas/adapters/secrets.ts';
import { createVideoLinks } from '../../lambdas/adapters/video-link.ts';
// A load in the middle of a run would take real time, and so change how the seed goes.
import '../../lambdas/api/all-routes.ts';
import { createApi } from '../../lambdas/api/app.ts';
import { createSignGet } from '../../lambdas/api/requests/sign-get.ts';
import { createCopy } from '../../lambdas/copy/copy.ts';
import { createSource } from '../../lambdas/copy/source/source.ts';
import { createPartSender } from '../../lambdas/copy/uploads/part-sender.ts';
import { createUploads, UPLOADS_CLIENT } from '../../lambdas/copy/uploads/uploads.ts';
import { createDeliver } from '../../lambdas/deliver/deliver.ts';
import { createDispatch } from '../../lambdas/dispatch/dispatch.ts';
import { LANES, type Lane } from '../../lambdas/domain/work.ts';
import { createClaims } from '../../lambdas/engine/claims.ts';
import { createHints } from '../../lambdas/engine/hints.ts';
import { createPoll } from '../../lambdas/poll/poll.ts';
import { reportPause } from '../../lambdas/poll/report-pause.ts';
import { createTopaz } from '../../lambdas/poll/topaz.ts';
import { createCallbackSecrets } from '../../lambdas/rows/callback-secret.ts';
import { createLinkSecret } from '../../lambdas/rows/link-secret.ts';
import { createQueueDepth } from '../../lambdas/tick/queue-depth.ts';
import { reportOverdue } from '../../lambdas/tick/report-overdue.ts';
import { createSweep } from '../../lambdas/tick/sweep.ts';
import { TRANSITION_SETTINGS } from '../support/transition.ts';
import { UNSIGNED } from '../support/unsigned.ts';
import { type AwsWorld, faultyTransport } from './aws-transport.ts';
import { exchangeError, type Faults } from './faults.ts';
import type { Queues } from './queues.ts';
import type { Receivers } from './receivers.ts';
import type { Simulation } from './simulation.ts';
import { PART_BYTES } from './upstream.ts';

export const TOPAZ_KEY = 'topaz-key-that-nobody-may-see';
export const API_KEY = 'api-key-that-nobody-may-see';
export const PUBLIC_URL = 'https://bridge.example';
const RETENTION_DAYS = 30;
/** Workers of each lane that delivers. */
export const MOST_DELIVERIES = 20;
const REGION = 'us-east-1';
const CREDENTIALS = { accessKeyId: 'simulated', secretAccessKey: 'simulated' };
const NOBODY = 'http://127.0.0.1:1/';

/** What the stages of one run are wired to. */
export type World = {
  readonly simulation: Simulation;
  readonly faults: Faults;
  readonly aws: AwsWorld;
  readonly queues: Queues;
  readonly receivers: Receivers;
  readonly tableName: string;
  readonly bucket: string;
  readonly dynamodbUrl: string;
  readonly s3Url: string;
  readonly topazUrl: string;
  /** A webhook arrived. */
  readonly onReceived: (body: string) => Promise<void>;
  /** A handler rejected, which none should. */
  readonly onCrash: (lane: string, error: unknown) => void;
};

/** A secret, by the variable that names its ARN to a function. */
type SecretName = 'TOPAZ_API_KEY_SECRET' | 'API_KEYS_SECRET';

export type StageHandler = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

/** What every function has: a clock, a table, hints, all of them its own. Called in the name of its actor. */
function common(world: World, settings: object = WORKER_DYNAMODB_CLIENT) {
  const { simulation, faults, aws, queues, dynamodbUrl, tableName } = world;
  const { actor, random } = simulation;
  const now = () => Math.floor(simulation.now + (actor?.skewMs ?? 0));
  const dynamodb = new DynamoDBClient({
    ...settings,
    ...UNSIGNED,
    endpoint: dynamodbUrl,
    region: REGION,
    credentials: CREDENTIALS,
    requestHandler: faultyTransport('dynamodb', simulation, faults, aws) as never,
  });
  const table = createTable(dynamodb, tableName, random.next);
  const secretsManager = (name: SecretName, text: string) =>
    ({
      send: () => {
        const failed = () => new Error('no secret');
        aws.permissions.note({ action: 'secretsmanager:GetSecretValue', resource: `secret ${name}` });
        const fate = faults.awsCall('sqs', { failed, throttled: failed });
        return simulation.call('GetSecretValue', fate, async () => ({ SecretString: text }));
      },
    }) as unknown as SecretsManagerClient;
  return {
    now,
    table,
    claims: createClaims(table, now, random.uuid),
    hints: createHints({ client: queues.client, queueUrls: queues.urls, now, onLost: () => {} }),
    randomBytes: random.bytes,
    random: random.next,
    secret: (name: SecretName, text: string) => createSecret(secretsManager(name, text), 'secret', now),
    sleep: (ms: number) => simulation.sleep(ms),
  };
}

/** Cold starts: what each function's handler.ts does. */
export const COLD_STARTS: Record<'poll' | 'copy' | 'dispatch' | 'deliver', (world: World) => StageHandler> = {
  poll(world) {
    const { table, claims, hints, now, random, sleep, secret } = common(world);
    return asHandler(
      createPoll({
        settings: TRANSITION_SETTINGS,
        table,
        claims,
        hints,
        now,
        random,
        sleep,
        topaz: createTopaz({
          baseUrl: world.topazUrl,
          apiKey: secret('TOPAZ_API_KEY_SECRET', TOPAZ_KEY),
          fetch: upstreamFetch(world),
          now,
        }),
        perSecond: 10,
        retentionDays: RETENTION_DAYS,
        onPause: reportPause,
        count: addMetric,
        log,
      }),
    );
  },

  dispatch(world) {
    const { table, claims, hints, now } = common(world);
    return asHandler(createDispatch({ table, claims, hints, now, retentionDays: RETENTION_DAYS, log }));
  },

  deliver(world) {
    const { simulation, receivers } = world;
    const { table, claims, hints, now, random, sleep, randomBytes } = common(world);
    const http: Pick<SafeHttp, 'request'> = {
      request: async (exchange) => {
        const fate = { there: simulation.random.integer(1, 40), back: simulation.random.integer(1, 40) };
        const { ms, outcome } = await simulation.call(
          `POST ${new URL(exchange.url).host}`,
          fate,
          async () => {
            await world.onReceived(String(exchange.body));
            return receivers.receive(exchange);
          },
        );
        await simulation.sleep(Math.min(ms, exchange.timeoutMs));
        if (ms > exchange.timeoutMs) throw exchangeError('timeout');
        if (outcome instanceof Error) throw outcome;
        return { body: Buffer.alloc(0), headers: {}, truncated: false, ...outcome };
      },
    };
    return asHandler(
      createDeliver({
        table,
        claims,
        hints,
        now,
        elapsed: () => simulation.now,
        random,
        sleep,
        after: (ms, act) => simulation.reach(simulation.present(), ms, act),
        retentionDays: RETENTION_DAYS,
        maxDeliveries: MOST_DELIVERIES,
        http: http as SafeHttp,
        putEvent: async () => ({ attempt: { at: now(), durationMs: 1, statusCode: 200 } }),
        callbackSecrets: createCallbackSecrets(table, randomBytes).read,
        videoLink: createVideoLinks({
          secret: createLinkSecret(table, randomBytes, now),
          publicUrl: PUBLIC_URL,
          linkDays: 7,
        }),
        log,
        count: addMetric,
      }),
    );
  },

  copy(world) {
    const { simulation, faults, aws, s3Url } = world;
    const { table, claims, hints, now, sleep } = common(world);
    const s3 = new S3Client({
      ...UPLOADS_CLIENT,
      endpoint: s3Url,
      region: REGION,
      credentials: CREDENTIALS,
      forcePathStyle: true,
      requestHandler: faultyTransport('s3', simulation, faults, aws) as never,
    });
    const source = createSource({ allowLoopback: true, now });
    const sender = createPartSender();
    const outward = { there: 5, back: 20 };
    return asHandler(
      createCopy({
        table,
        claims,
        hints,
        retentionDays: RETENTION_DAYS,
        source: {
          ...source,
          probe: (url, signal) =>
            simulation.call('probe', outward, () => source.probe(broken('download faults', url), signal)),
          read: (url, ...rest) =>
            simulation.call('read', outward, () => source.read(broken('download faults', url), ...rest)),
          stream: async (url, signal) => {
            const opened = await simulation.call('stream', outward, () => source.stream(url, signal));
            return { ...opened, chunks: stepwise(simulation, opened.chunks) };
          },
        },
        uploads: createUploads(s3),
        sender: {
          ...sender,
          send: (put, body, signal) =>
            simulation.call('PUT part', outward, async () => {
              const url = broken('failing calls', put.url);
              const stored = await sender.send({ ...put, url }, body, signal);
              if (broken('lost answers', put.url) === NOBODY) {
                await sender.send({ ...put, url: NOBODY }, body, signal);
              }
              return stored;
            }),
        },
        now,
        sleep,
        partLimits: { memoryMiB: 256, minPartBytes: PART_BYTES },
        bucket: world.bucket,
        keyTemplate: 'videos/{requestId}/{filename}',
        count: addMetric,
        log,
      }),
    );

    /** The address, or one where no server answers. */
    function broken(kind: 'download faults' | 'failing calls' | 'lost answers', url: string): string {
      return faults.strikes(kind, 0.03) ? NOBODY : url;
    }
  },
};

/** The tick's function. */
export function coldStartTick(world: World): () => Promise<unknown> {
  const { table, hints, now } = common(world, AWS_CLIENT);
  const { client, urls } = world.queues;
  const sweep = createSweep({ table, hints, visibleMessages: createQueueDepth(client, urls), now });
  return async () => reportOverdue(await sweep());
}

/** The API's function. */
export function coldStartApi(world: World) {
  const { table, hints, now, randomBytes, sleep, secret } = common(world, AWS_CLIENT);
  const signGet = createSignGet(new S3Client({ region: REGION, credentials: CREDENTIALS }), now);
  const linkSecret = createLinkSecret(table, randomBytes, now);
  const keys = JSON.stringify({ keys: [{ id: 'admin', key: API_KEY, role: 'admin' }] });
  return createApi({
    table,
    metricHistory: async () => {
      world.aws.permissions.note({ action: 'cloudwatch:GetMetricData', resource: '*' });
      return new Map();
    },
    deployment: {
      messages: async () => {
        const action = 'sqs:GetQueueAttributes';
        for (const resource of [...LANES.map((lane) => `queue ${lane}`), 'dead letters'])
          world.aws.permissions.note({ action, resource });
        return { waiting: [], dead: 0 };
      },
      bucket: async () => {
        world.aws.permissions.note({ action: 's3:ListBucket', resource: 'bucket' });
        return 'there';
      },
      alarms: async () => {
        world.aws.permissions.note({ action: 'cloudwatch:DescribeAlarms', resource: '*' });
        return [];
      },
    },
    hints,
    now,
    randomBytes,
    apiKeys: secret('API_KEYS_SECRET', keys),
    linkSecret,
    videoLink: createVideoLinks({
      secret: linkSecret,
      publicUrl: PUBLIC_URL,
      linkDays: 7,
    }),
    sleep,
    maxWaits: 5,
    signGet: (object) => {
      // A caller of the URL acts with the permission of its signer.
      world.aws.permissions.note({ action: 's3:GetObject', resource: 'objects' });
      return signGet(object);
    },
    retentionDays: RETENTION_DAYS,
    allowLoopback: false,
  });
}

export const STAGE_OF: Record<Lane, keyof typeof COLD_STARTS> = {
  poll: 'poll',
  copy: 'copy',
  dispatch: 'dispatch',
  deliver: 'deliver',
  'deliver-slow': 'deliver',
};

const asHandler = (handler: unknown): StageHandler => handler as StageHandler;

/** `fetch` to the simulated Topaz: what the far side does comes from its own faults, what the way does from here. */
function upstreamFetch({ simulation, faults }: World): typeof fetch {
  return async (url, init) => {
    const { random } = simulation;
    const fate = faults.strikes('upstream faults', 0.03)
      ? random.pick([
          { there: 5, back: 10_000, before: () => new DOMException('timed out', 'TimeoutError') },
          {
            there: 5,
            back: 20,
            before: () => new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } }),
          },
          {
            there: 5,
            back: 20,
            after: () => new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } }),
          },
        ])
      : { there: random.integer(20, 200), back: random.chance(0.02) ? random.integer(1_000, 8_000) : 100 };
    const { status, headers, body } = await simulation.call('GET status', fate, async () => {
      const answer = await fetch(url, { headers: init?.headers, redirect: 'manual' });
      return { status: answer.status, headers: answer.headers, body: await answer.arrayBuffer() };
    });
    return new Response(body.byteLength > 0 ? body : null, { status, headers });
  };
}

/** A stream of which each piece is a call of its own. */
async function* stepwise<T>(simulation: Simulation, pieces: AsyncGenerator<T>): AsyncGenerator<T> {
  try {
    for (;;) {
      const next = await simulation.call('stream', { there: 1, back: 5 }, () => pieces.next());
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await pieces.return(undefined);
  }
}
