// The process in which one function's bundle runs: loads it as Lambda does, then answers one invocation at a time.
import { existsSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  CLOCK_OFFSET_VARIABLE,
  type HostAnswer,
  type Invocation,
  type InvocationError,
} from './host-protocol.ts';
import { skewClock } from './skewed-clock.ts';

type Handler = (event: unknown, context: unknown) => unknown;

const directory = process.env.LAMBDA_TASK_ROOT ?? '.';
const handlerName = process.env._HANDLER ?? '';

const trueNow = skewClock(Number(process.env[CLOCK_OFFSET_VARIABLE] ?? 0));
delete process.env[CLOCK_OFFSET_VARIABLE];

let handler: Handler;
try {
  handler = await loadHandler();
  say({ ready: true });
  // With NODE_COMPILE_CACHE the next process loads faster. This one is killed in the end, which would keep nothing.
  flushCompileCache();
} catch (error) {
  say({ initError: describe(error) }, () => process.exit(1));
}

process.on('message', async (invocation: Invocation) => {
  process.env._X_AMZN_TRACE_ID = invocation.trace;
  try {
    say({ result: (await handler(invocation.event, contextOf(invocation))) ?? null });
  } catch (error) {
    say({ error: describe(error) });
  }
});

async function loadHandler(): Promise<Handler> {
  const [file, exported = ''] = handlerName.split('.');
  const path = ['.mjs', '.js', '.cjs'].map((ending) => join(directory, file + ending)).find(existsSync);
  if (!path) throw new Error(`The bundle in ${directory} has no module for the handler ${handlerName}.`);
  const module = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  const found = module[exported];
  if (typeof found !== 'function') throw new Error(`${path} does not export a function ${exported}.`);
  return found as Handler;
}

function contextOf({ requestId, deadline, functionArn }: Invocation) {
  const functionName = process.env.AWS_LAMBDA_FUNCTION_NAME;
  return {
    awsRequestId: requestId,
    callbackWaitsForEmptyEventLoop: true,
    functionName,
    functionVersion: '$LATEST',
    getRemainingTimeInMillis: () => deadline - trueNow(),
    invokedFunctionArn: functionArn,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
  };
}

function say(message: HostAnswer, sent: () => void = () => {}) {
  process.send?.(message, sent);
}

function describe(error: unknown): InvocationError {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: error.stack?.split('\n') ?? [] };
}
