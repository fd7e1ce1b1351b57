import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { PurgeQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describeAlarms } from './aws/alarms.ts';
import { type AwsBehavior, usualBehavior } from './aws/behavior.ts';
import { type Emulator, startDynamo, startS3Emulator, startSqs } from './aws/emulators.ts';
import { Expiry } from './aws/expiry.ts';
import { type Caller, type Faults, FrontDoor, type Layer } from './aws/front-door.ts';
import { iamPropagation } from './aws/iam-propagation.ts';
import { awsLayers, expirySettings } from './aws/layers.ts';
import { Metrics } from './aws/metrics.ts';
import { type Random, seededRandom } from './aws/random.ts';
import { s3Errors } from './aws/s3-errors.ts';
import { generateSecrets, readSecrets, type Secret } from './aws/secrets.ts';
import type { PutEvent } from './aws/stubs.ts';
import type { Closing } from './closing.ts';
import { type DataDir, openDataDir, temporaryDataDir } from './data-dir.ts';
import { Log, type LogLine } from './log.ts';
import { startQueueWorkers } from './queue-workers.ts';
import type { MessageFault } from './runtime/event-source-mapping.ts';
import { HttpApi } from './runtime/http-api.ts';
import { REGION } from './runtime/resource-types.ts';
import { createResources, operator } from './runtime/resources.ts';
import { startSchedule } from './runtime/schedule.ts';
import { readStack, Template } from './runtime/template.ts';
import { startFunctions } from './start-functions.ts';
import { readApi, readFunctions, readMappings, readSchedules, type WiredFunction } from './wiring.ts';

type BridgeOptions = {
  /** The folder that `cdk synth` wrote. */
  templateDir: string;
  /** Keeps state and a log here across restarts (a path, or opened already); without it state goes with the bridge. */
  dataDir?: string | DataDir;
  /** Port of the HTTP API; 0, the default, takes any free one. */
  port?: number;
  /** Period of every schedule; 0 leaves them out (`invoke('tick')` instead); unset, it is the template's. */
  tickSeconds?: number;
  /**
   * Bounds the workers of each event source mapping, which are as many as the template says, and of a function
   * without one; 10 by default, since each is a process of some 100 MB.
   */
  maxWorkers?: number;
  /** How AWS behaves where that differs from the defaults of `aws/behavior.ts`. */
  aws?: Partial<AwsBehavior>;
  /** Replaces environment variables of the functions that have them. */
  env?: Record<string, string>;
  /** Replaces the memory of functions, MB by name: `{copy: 512}`. */
  memoryMb?: Record<string, number>;
  /** Values of secrets, each by the variable that names its ARN to a function: `TOPAZ_API_KEY_SECRET_ARN`. */
  secrets?: Record<string, string>;
  log?: (line: LogLine) => void;
  /** Faults of AWS calls; `setFaults` changes them. */
  faults?: Faults;
  /** Sees each call of a JSON protocol before any model of AWS does, and its answer after all of them. */
  observer?: Layer;
  /** Faults of messages on their way from a queue to its function. */
  messageFault?: MessageFault;
  /** Called with each entry that a function puts on an event bus. */
  onEvent?: (event: PutEvent) => void;
};

export type Bridge = {
  apiUrl: string;
  /** The first admin key of the API. */
  apiKey: string;
  bucket: string;
  table: string;
  /** The emulators themselves, past the front door: no IAM, no counts, no faults. S3 takes any key as its own secret. */
  dynamodbEndpoint: string;
  sqsEndpoint: string;
  s3Endpoint: string;
  /** Clients of those endpoints; `stop` destroys them. */
  dynamo: DynamoDBClient;
  sqs: SQSClient;
  s3: S3Client;
  outputs: Record<string, string>;
  /** Seed of the random choices that make the AWS services lag, repeat and reorder; the option `aws` takes it. */
  seed: number;
  /** Queue URLs at the emulator, by the variable that names each queue to the functions: `POLL_QUEUE_URL`. */
  queueUrls: Record<string, string>;
  /** Calls so far by function and operation: `counts().poll?.['dynamodb:UpdateItem']`; polling of queues included. */
  counts(): Record<string, Record<string, number>>;
  /** Runs a function (`tick`, `poll`) with an event. Throws a FunctionError when it gives no result. */
  invoke(name: string, event?: unknown): Promise<unknown>;
  /** The ids of the living processes of all functions, or of one. */
  pids(name?: string): number[];
  /** Empties all queues, dead letters included. */
  purgeQueues(): Promise<void>;
  /** Stops and starts the polling of all queues; work in progress continues. */
  pauseWorkers(): void;
  resumeWorkers(): void;
  setFaults(faults: Faults): void;
  /** Changes the value of a secret, named as in the option `secrets`. */
  setSecret(variable: string, value: string): void;
  /** Settles with a message when an emulator ends unexpectedly; the bridge does not work any more then. */
  lost: Promise<string>;
  /** Ends everything; functions at work are killed, which they must bear. */
  stop(): Promise<void>;
};

/**
 * Boots the bridge from its synthesized template: emulators, front door, functions, event sources, schedule and
 * HTTP API. Throws when the template needs what the local runtime does not know, or would certainly fail on AWS;
 * nothing is left running then.
 */
export async function startBridge(options: BridgeOptions): Promise<Bridge> {
  const closers: (() => unknown)[] = [];
  const stop = async () => {
    for (let close = closers.pop(); close; close = closers.pop()) await close();
  };
  try {
    return { ...(await boot(options, (close) => closers.push(close))), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function boot(options: BridgeOptions, closing: Closing): Promise<Omit<Bridge, 'stop'>> {
  const { maxWorkers = 10 } = options;
  const behavior = { ...usualBehavior(), ...options.aws };
  const random = seededRandom(behavior.seed);
  const stack = readStack(options.templateDir);
  const { dataDir: given } = options;
  const dataDir = typeof given === 'object' ? given : given ? openDataDir(given) : temporaryDataDir();
  closing(() => dataDir.release());
  const log = new Log(options.log, dataDir.kept ? join(dataDir.path, 'bridge.log') : undefined);
  closing(() => log.close());

  // Both listen first, since the template is resolved with their addresses.
  const door = await FrontDoor.listen();
  closing(() => door.close());
  const api = await HttpApi.listen(options.port ?? 0);
  closing(() => api.close());

  const generated = { ...generateSecrets(stack), ...dataDir.secrets() };
  dataDir.saveSecrets(generated);
  const template = new Template(stack, { frontDoorUrl: door.url, apiUrl: api.url }, generated);
  const wired = override(readFunctions(template, stack), options);
  const mappings = readMappings(template, wired, maxWorkers);
  const schedules = readSchedules(template);
  const apiFunctionArn = readApi(template);
  const environments = wired.map(({ settings }) => settings.environment);
  const secrets = readSecrets(template, environments, generated, options.secrets);

  const conflicts = () => random() < behavior.completeConflicts;
  const emulators = await startEmulators(dataDir, wired, conflicts, closing);
  const endpoints = { dynamodb: emulators.dynamodb.url, sqs: emulators.sqs.url, s3: emulators.s3.url };
  await createResources(template, endpoints);

  const metrics = new Metrics();
  let faults: Faults = options.faults ?? (() => undefined);
  const ofS3 = s3Errors({ slowDown: behavior.slowDowns, completeError: behavior.completeErrors }, random);
  door.faults = (call) => faults(call) ?? ofS3(call);
  door.open({
    callers: callersOf(wired),
    upstreams: endpoints,
    layers: [...(options.observer ? [options.observer] : []), ...awsLayers(template, behavior, random)],
    isSettled: iamPropagation(behavior.iamDelayMs, random),
    findSecret: (id) => secrets.find(({ arn, name }) => id === arn || id === name),
    onEvent: options.onEvent ?? (() => {}),
    monitoring: {
      GetMetricData: (body) => metrics.getMetricData(body),
      DescribeAlarms: (body) => describeAlarms(template, stack.name, metrics, body),
    },
    log: log.of('bridge'),
  });

  const service = { maxWorkers, behavior, random, door, metrics, log };
  const functions = startFunctions(wired, mappings, service, closing);
  const functionAt = (arn: string) => the(functions, ({ settings }) => settings.arn === arn, arn);

  const workers = startQueueWorkers(
    mappings,
    { endpoint: door.url, functionAt, log, messageFault: options.messageFault },
    closing,
  );

  const apiFunction = functionAt(apiFunctionArn);
  api.open((event) => apiFunction.invoke(event), log.of(apiFunction.settings.name));

  for (const { functionArn, periodMs, event } of schedules) {
    const target = functionAt(functionArn);
    const ms = options.tickSeconds === undefined ? periodMs : options.tickSeconds * 1000;
    if (ms > 0) closing(startSchedule(ms, () => target.invoke(event), log.of(target.settings.name)));
  }

  closing(startExpiry(template, door.url, behavior.expirySeconds, random, log.of('bridge')));

  const clients = startClients(endpoints);
  closing(() => {
    for (const client of Object.values(clients)) client.destroy();
  });
  const queues = template.ofType('AWS::SQS::Queue').map(({ identity }) => identity.ref);
  const secretOf = (variable: string) => the(secrets, (secret) => secret.variable === variable, variable);
  return {
    apiUrl: api.url,
    apiKey: adminKey(secretOf('API_KEYS_SECRET_ARN')),
    bucket: template.ofType('AWS::S3::Bucket')[0]?.identity.ref ?? '',
    table: template.ofType('AWS::DynamoDB::GlobalTable')[0]?.identity.ref ?? '',
    dynamodbEndpoint: endpoints.dynamodb,
    sqsEndpoint: endpoints.sqs,
    s3Endpoint: endpoints.s3,
    ...clients,
    outputs: template.outputs,
    seed: behavior.seed,
    queueUrls: Object.fromEntries(
      environments.flatMap((environment) =>
        Object.entries(environment)
          .filter(([, value]) => queues.includes(value))
          .map(([variable, value]) => [variable, value.replace(door.url, endpoints.sqs)]),
      ),
    ),
    counts: () => door.counts(),
    invoke: async (name, event = {}) =>
      the(functions, ({ settings }) => settings.name === name, name).invoke(event),
    pids: (name) =>
      functions.filter(({ settings }) => !name || settings.name === name).flatMap(({ pids }) => pids),
    purgeQueues: async () => {
      for (const QueueUrl of queues) await clients.sqs.send(new PurgeQueueCommand({ QueueUrl }));
    },
    pauseWorkers: workers.pause,
    resumeWorkers: workers.resume,
    setFaults: (given) => {
      faults = given;
    },
    setSecret: (variable, value) => {
      secretOf(variable).value = value;
    },
    lost: Promise.race(Object.values(emulators).map(({ lost }) => lost)),
  };
}

async function startEmulators(
  dataDir: DataDir,
  functions: WiredFunction[],
  conflicts: () => boolean,
  closing: Closing,
) {
  const secretOf = (accessKeyId: string) =>
    functions.find(({ credentials }) => credentials.accessKeyId === accessKeyId)?.credentials.secretAccessKey;
  const running = async (emulator: Promise<Emulator>) => {
    const { stop } = await emulator;
    closing(stop);
    return emulator;
  };
  return {
    dynamodb: await running(startDynamo(dataDir.kept ? { folder: dataDir.path } : {})),
    sqs: await running(startSqs()),
    // People and tools use any key, with the key itself as its secret.
    s3: await running(startS3Emulator(join(dataDir.path, 's3'), (id) => secretOf(id) ?? id, conflicts)),
  };
}

function startClients(endpoints: { dynamodb: string; sqs: string; s3: string }) {
  const client = { region: REGION, credentials: operator };
  return {
    dynamo: new DynamoDBClient({ ...client, endpoint: endpoints.dynamodb }),
    sqs: new SQSClient({ ...client, endpoint: endpoints.sqs, useQueueUrlAsEndpoint: false }),
    s3: new S3Client({ ...client, endpoint: endpoints.s3, forcePathStyle: true }),
  };
}

/** Deletes expired rows of the tables from time to time. Returns how to stop it. */
function startExpiry(
  template: Template,
  endpoint: string,
  seconds: number,
  random: Random,
  log: (line: string) => void,
): () => void {
  const client = new DynamoDBClient({ region: REGION, endpoint, credentials: operator });
  const expiries = expirySettings(template).map((settings) => new Expiry(client, settings, random));
  const pass = () => {
    for (const expiry of expiries) {
      expiry.pass(Date.now()).catch((error: Error) => log(`expired rows stay: ${error.message}`));
    }
  };
  const timer = seconds > 0 ? setInterval(pass, seconds * 1000) : undefined;
  return () => {
    clearInterval(timer);
    client.destroy();
  };
}

function callersOf(functions: WiredFunction[]): Map<string, Caller> {
  const callers = functions.map(({ credentials, settings, policies }): [string, Caller] => [
    credentials.accessKeyId,
    { name: settings.name, policies },
  ]);
  return new Map([...callers, [operator.accessKeyId, { name: 'operator' }]]);
}

/** Throws for a variable that no function has, and for an unknown function: it would change nothing. */
function override(
  functions: WiredFunction[],
  { env = {}, memoryMb = {} }: Pick<BridgeOptions, 'env' | 'memoryMb'>,
): WiredFunction[] {
  for (const name of Object.keys(env)) the(functions, ({ settings }) => name in settings.environment, name);
  for (const name of Object.keys(memoryMb)) the(functions, ({ settings }) => name === settings.name, name);
  return functions.map((each) => {
    const { name, environment, memoryMb: templates } = each.settings;
    const given = Object.entries(env).filter(([variable]) => variable in environment);
    return {
      ...each,
      settings: {
        ...each.settings,
        environment: { ...environment, ...Object.fromEntries(given) },
        memoryMb: memoryMb[name] ?? templates,
      },
    };
  });
}

/** The generated first key, or that of an admin. */
function adminKey({ value }: Secret): string {
  const { firstKey, keys = [] } = JSON.parse(value) as {
    firstKey?: string;
    keys?: { key: string; role: string }[];
  };
  return firstKey ?? keys.find(({ role }) => role === 'admin')?.key ?? '';
}

function the<T>(items: T[], is: (item: T) => boolean, name: string): T {
  const found = items.find(is);
  if (!found) throw new Error(`The template has nothing known as ${name}.`);
  return found;
}
