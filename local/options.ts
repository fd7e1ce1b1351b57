import { parseArgs } from 'node:util';

export type StartOptions = {
  help: boolean;
  port: number;
  dataDir: string | undefined;
  /** Another upstream than the simulated one. */
  topazUrl: string | undefined;
  topazKey: string | undefined;
  apiKey: string | undefined;
  demo: boolean;
  /** Seconds of a simulated job that pass in one second. */
  speed: number;
  tickSeconds: number;
  /** Bounds the workers of each queue; undefined leaves it to the runtime. */
  workers: number | undefined;
  /** Whether AWS also has its rarer faults. */
  harsh: boolean;
  /** The seed of the random choices of the AWS services. */
  seed: number | undefined;
  json: boolean;
};

export const help = `Runs the webhook bridge on this machine, without AWS, and shows one job from start to end.

Usage: npm start -- [options]

  --port PORT        of the API and the console (default 8787; 0 takes any free one)
  --data DIR         keep state in this folder; without it, state is deleted at the end
  --topaz-url URL    ask this Topaz API instead of the simulated one
  --topaz-key KEY    the key to it (or set TOPAZ_API_KEY)
  --api-key KEY      the key to the bridge's own API (default: a new one, printed)
  --no-demo          register no demonstration request
  --speed N          run simulated jobs N times as fast (default 1)
  --tick SECONDS     look for overdue work every SECONDS (default 60, as deployed)
  --workers N        run at most N workers per queue (default 10; the template says how many)
  --harsh            add the rarer faults of AWS: throttling, conflicts, lost connections, errors of S3
  --seed N           repeat the random choices of the AWS services of an earlier run
  --json             print one line of JSON when ready, and nothing else
  --help             show this
`;

/** Reads the command line. Throws an Error that names the option that is wrong. */
export function readOptions(args: string[], env: NodeJS.ProcessEnv): StartOptions {
  const values = parse(args);
  const topazUrl = values['topaz-url'];
  const topazKey = values['topaz-key'] ?? env.TOPAZ_API_KEY;
  if (topazUrl !== undefined && !/^https?:$/.test(URL.parse(topazUrl)?.protocol ?? '')) {
    throw new Error(`--topaz-url must be an http or https URL, not "${topazUrl}".`);
  }
  if (topazUrl !== undefined && !topazKey) {
    throw new Error('--topaz-url needs a key: give --topaz-key, or set TOPAZ_API_KEY.');
  }
  if (values['api-key'] !== undefined && !/^[\x21-\x7e]+$/.test(values['api-key'])) {
    throw new Error('--api-key takes printable ASCII characters only, and no spaces.');
  }
  return {
    help: values.help,
    port: readNumber('--port', values.port, (port) => Number.isInteger(port) && port >= 0 && port <= 65_535),
    dataDir: values.data,
    topazUrl: topazUrl?.replace(/\/+$/, ''),
    topazKey,
    apiKey: values['api-key'],
    demo: values.demo,
    speed: readNumber('--speed', values.speed, (speed) => speed > 0 && speed <= 1e6),
    tickSeconds: readNumber('--tick', values.tick, (seconds) => seconds > 0 && seconds <= 86_400),
    workers: readOptional('--workers', values.workers, (count) => Number.isInteger(count) && count > 0),
    harsh: values.harsh,
    seed: readOptional(
      '--seed',
      values.seed,
      (seed) => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32,
    ),
    json: values.json,
  };
}

/** The error of `parseArgs` names the option only. */
function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowNegative: true,
      options: {
        help: { type: 'boolean', default: false },
        port: { type: 'string', default: '8787' },
        data: { type: 'string' },
        'topaz-url': { type: 'string' },
        'topaz-key': { type: 'string' },
        'api-key': { type: 'string' },
        demo: { type: 'boolean', default: true },
        speed: { type: 'string', default: '1' },
        tick: { type: 'string', default: '60' },
        workers: { type: 'string' },
        harsh: { type: 'boolean', default: false },
        seed: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new Error(`${(error as Error).message}; see --help.`);
  }
}

function readOptional(
  option: string,
  text: string | undefined,
  isValid: (value: number) => boolean,
): number | undefined {
  return text === undefined ? undefined : readNumber(option, text, isValid);
}

function readNumber(option: string, text: string, isValid: (value: number) => boolean): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!isValid(value)) throw new Error(`${option} does not take "${text}"; see --help.`);
  return value;
}
