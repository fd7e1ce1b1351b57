import type { AwsBehavior } from './aws/behavior.ts';
import type { FrontDoor } from './aws/front-door.ts';
import type { Metrics } from './aws/metrics.ts';
import type { Random } from './aws/random.ts';
import type { Closing } from './closing.ts';
import type { Log } from './log.ts';
import { ConcurrencyLimit } from './runtime/concurrency-limit.ts';
import { LocalFunction } from './runtime/functions.ts';
import { REGION } from './runtime/resource-types.ts';
import type { WiredFunction, WiredMapping } from './wiring.ts';

/** Starts the functions, as many processes of each as its mappings have workers, on a service that behaves like Lambda. */
export function startFunctions(
  wired: readonly WiredFunction[],
  mappings: readonly WiredMapping[],
  {
    maxWorkers,
    behavior,
    random,
    door,
    metrics,
    log,
  }: {
    /** Of a function without a mapping. */
    maxWorkers: number;
    behavior: AwsBehavior;
    random: Random;
    door: FrontDoor;
    metrics: Metrics;
    log: Log;
  },
  closing: Closing,
): LocalFunction[] {
  const service = {
    concurrency: new ConcurrencyLimit(behavior.accountConcurrency),
    clockOffset: () => Math.round((random() - 0.5) * behavior.clockSkewMs),
    freezes: behavior.freeze,
    onThaw: () => {
      if (random() < behavior.longFreezes) door.closeIdleConnections();
    },
  };
  const functions = wired.map((each) => {
    const logLine = log.of(each.settings.name);
    const own = mappings.filter(({ target }) => target === each);
    const maxProcesses = own.reduce((sum, { settings }) => sum + settings.maxConcurrency, 0) || maxWorkers;
    const environment = { ...each.settings.environment, ...awsEnvironment(each, door.url) };
    const onLine = (line: string) => {
      metrics.record(line);
      logLine(line);
    };
    return new LocalFunction({ ...each.settings, environment, maxProcesses }, onLine, service);
  });
  closing(() => Promise.all(functions.map((each) => each.stop())));
  return functions;
}

function awsEnvironment({ credentials }: WiredFunction, endpoint: string): Record<string, string> {
  return {
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_ENDPOINT_URL: endpoint,
  };
}
