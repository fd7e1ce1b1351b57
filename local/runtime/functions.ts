import { randomUUID } from 'node:crypto';
import { type Supervised, superviseModule } from '../processes/supervisor.ts';
import type { ConcurrencyLimit } from './concurrency-limit.ts';
import { CLOCK_OFFSET_VARIABLE, type HostAnswer, type Invocation } from './host-protocol.ts';
import { MAX_PASSES, passesOf, traceHeader } from './trace-lineage.ts';

/** A function as its template describes it. */
export type FunctionSettings = {
  /** The stage, for people: `poll`, `copy`. */
  name: string;
  arn: string;
  /** The folder of the bundle, and `<module>.<export>` within it. */
  directory: string;
  handler: string;
  timeoutMs: number;
  memoryMb: number;
  environment: Record<string, string>;
  /** Whether it may be invoked again and again in one chain of requests. */
  allowsRecursion?: boolean;
  /** How many invocations may run at the same time, each in a separate process. */
  maxProcesses: number;
};

/** What an invocation shares with the others of the account. */
export type LambdaService = {
  concurrency?: ConcurrencyLimit;
  /** Whether a process is stopped between invocations. */
  freezes?: boolean;
  /** How far the clock of a new process is off, ms. */
  clockOffset?: () => number;
  /** Called before a stopped process continues: it may close the connections of that process. */
  onThaw?: (name: string) => void;
};

/** Of an event, and of a result, as JSON. */
export const MAX_PAYLOAD_BYTES = 6 * 1024 * 1024;

/** Lambda allows 10 s; a busy machine that starts all functions at once may need more. */
const INIT_TIMEOUT_MS = 30_000;

/** How long an invocation may take under a debugger. */
const INSPECTED_MS = 86_400_000;

type FunctionErrorKind =
  | 'thrown'
  | 'init'
  | 'timeout'
  | 'crash'
  | 'stopped'
  | 'throttled'
  | 'recursion'
  | 'payload';

/** An invocation that gave no result. The message is what Lambda would report. */
export class FunctionError extends Error {
  override readonly name = 'FunctionError';
  readonly kind: FunctionErrorKind;
  readonly trace: string[];

  constructor(kind: FunctionErrorKind, message: string, trace: string[] = []) {
    super(message);
    this.kind = kind;
    this.trace = trace;
  }
}

/** Runs a function's bundle in processes: one invocation each at a time, kept warm, killed at the time-out. */
export class LocalFunction {
  readonly settings: FunctionSettings;
  private readonly onLine: (line: string) => void;
  private readonly idle: Supervised[] = [];
  private readonly all = new Set<Supervised>();
  private readonly waiting: (() => void)[] = [];
  private readonly service: LambdaService;
  private running = 0;
  private stopped = false;

  constructor(
    settings: FunctionSettings,
    onLine: (line: string) => void = () => {},
    service: LambdaService = {},
  ) {
    this.settings = settings;
    this.onLine = onLine;
    this.service = service;
  }

  /** Whether a debugger may attach: then there is one process, which no time-out ends and nothing freezes. */
  private get inspected(): boolean {
    return process.env.BRIDGE_INSPECT === this.settings.name;
  }

  /** The ids of its processes, busy or warm. */
  get pids(): number[] {
    return [...this.all].flatMap((host) => host.process.pid ?? []);
  }

  /**
   * Runs the handler with `event` and returns its result, waiting for a free process first. `traces` are the trace
   * headers of what led to it. Throws a FunctionError when it throws, cannot be loaded, ends its process or passes
   * its time-out, and when Lambda would not invoke it: too large an event, too many invocations, a recursive loop.
   */
  async invoke(event: unknown, traces: (string | undefined)[] = []): Promise<unknown> {
    const { name, arn, allowsRecursion, maxProcesses } = this.settings;
    if (!allowsRecursion && passesOf(arn, traces) >= MAX_PASSES) {
      throw new FunctionError(
        'recursion',
        `${name} was invoked ${MAX_PASSES} times in one chain of requests, and does not allow a recursive loop.`,
      );
    }
    checkSize(name, 'event', event);
    if (this.running >= (this.inspected ? 1 : maxProcesses)) {
      await new Promise<void>((resume) => this.waiting.push(resume));
    } else {
      this.running++;
    }
    try {
      if (this.stopped) throw new FunctionError('stopped', `${name} has been stopped.`);
      const leave = this.service.concurrency ? this.service.concurrency.enter() : () => {};
      if (!leave) throw new FunctionError('throttled', `${name}: Rate Exceeded.`);
      try {
        const result = await this.run(this.thawed() ?? (await this.start()), event, traceHeader(arn, traces));
        checkSize(name, 'result', result);
        return result;
      } finally {
        leave();
      }
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.running--;
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all([...this.all].map((host) => host.stop()));
  }

  /** A process that stands by, going on. */
  private thawed(): Supervised | undefined {
    const host = this.idle.pop();
    if (!host || !this.service.freezes) return host;
    this.service.onThaw?.(this.settings.name);
    host.process.kill('SIGCONT');
    return host;
  }

  private async start(): Promise<Supervised> {
    const { settings } = this;
    const host = superviseModule(new URL('./function-host.ts', import.meta.url), {
      execArgv: [
        `--max-old-space-size=${settings.memoryMb}`,
        ...(this.inspected ? ['--inspect=127.0.0.1:9229'] : []),
      ],
      env: {
        ...settings.environment,
        PATH: process.env.PATH,
        TZ: ':UTC',
        _HANDLER: settings.handler,
        LAMBDA_TASK_ROOT: settings.directory,
        AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
        AWS_LAMBDA_FUNCTION_NAME: settings.name,
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(settings.memoryMb),
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
        AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${settings.name}`,
        AWS_LAMBDA_LOG_STREAM_NAME: 'local',
        // Certificates that people trust on this machine, a proxy's above all, hold for the functions, too.
        ...(process.env.NODE_EXTRA_CA_CERTS && { NODE_EXTRA_CA_CERTS: process.env.NODE_EXTRA_CA_CERTS }),
        ...(process.env.NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE }),
        [CLOCK_OFFSET_VARIABLE]: String(this.service.clockOffset?.() ?? 0),
      },
      onLine: this.onLine,
    });
    this.all.add(host);
    void host.ended.then(() => {
      this.all.delete(host);
      const at = this.idle.indexOf(host);
      if (at >= 0) this.idle.splice(at, 1);
    });

    const answer = await this.nextAnswer(host, INIT_TIMEOUT_MS, 'loading');
    if ('initError' in answer) {
      const { errorType, errorMessage, trace } = answer.initError;
      throw new FunctionError(
        'init',
        `${settings.name} cannot be loaded: ${errorType}: ${errorMessage}`,
        trace,
      );
    }
    return host;
  }

  private async run(host: Supervised, event: unknown, trace: string): Promise<unknown> {
    const { name, arn } = this.settings;
    const timeoutMs = this.inspected ? INSPECTED_MS : this.settings.timeoutMs;
    const answered = this.nextAnswer(host, timeoutMs, 'the task');
    const deadline = Date.now() + timeoutMs;
    host.process.send(
      { requestId: randomUUID(), event, deadline, functionArn: arn, trace } satisfies Invocation,
      () => {},
    );

    const answer = await answered;
    if (this.service.freezes && !this.inspected) host.process.kill('SIGSTOP');
    this.idle.push(host);
    if ('error' in answer) {
      const { errorType, errorMessage, trace } = answer.error;
      throw new FunctionError('thrown', `${name} failed: ${errorType}: ${errorMessage}`, trace);
    }
    return 'result' in answer ? answer.result : undefined;
  }

  private async nextAnswer(host: Supervised, timeoutMs: number, what: string): Promise<HostAnswer> {
    const { name } = this.settings;
    const { promise, resolve, reject } = Promise.withResolvers<HostAnswer>();
    const onMessage = (answer: unknown) => resolve(answer as HostAnswer);
    const onExit = (code: number | null, signal: string | null) => {
      const how = signal ? `signal: ${signal}` : `exit status ${code}`;
      reject(
        this.stopped
          ? new FunctionError('stopped', `${name} was stopped while it ran.`)
          : new FunctionError('crash', `${name}: Runtime.ExitError: the process ended (${how}).`),
      );
    };
    const timer = setTimeout(() => {
      reject(new FunctionError('timeout', `${name}: ${what} timed out after ${timeoutMs / 1000} seconds.`));
      void host.stop();
    }, timeoutMs);
    host.process.once('message', onMessage).once('exit', onExit);
    const { exitCode, signalCode } = host.process;
    if (exitCode !== null || signalCode !== null) onExit(exitCode, signalCode);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      host.process.off('message', onMessage).off('exit', onExit);
    }
  }
}

function checkSize(name: string, what: 'event' | 'result', value: unknown): void {
  const bytes = Buffer.byteLength(JSON.stringify(value) ?? '');
  if (bytes <= MAX_PAYLOAD_BYTES) return;
  throw new FunctionError(
    'payload',
    `${name}: the ${what} has ${bytes} bytes, more than the ${MAX_PAYLOAD_BYTES} that Lambda takes.`,
  );
}
