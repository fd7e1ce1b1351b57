import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A child process that ends when this process does, whichever way this process ends. */
export type Supervised = {
  process: ChildProcess;
  /** Settles when the child has ended. */
  ended: Promise<void>;
  /** Kills the child and waits until it has ended. */
  stop(): Promise<void>;
};

type SuperviseOptions = {
  env?: NodeJS.ProcessEnv;
  execArgv?: string[];
  /** Called with each line the child writes to standard output or error. */
  onLine?: (line: string) => void;
};

/** Starts a program that does not watch its parent itself. */
export function superviseProgram(
  command: string,
  args: string[],
  options: SuperviseOptions = {},
): Supervised {
  const child = spawn(command, args, {
    // A separate process group: Ctrl-C in the terminal reaches only the parent, which ends its children in order.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: options.env ?? process.env,
  });
  return supervised(child, options);
}

/** Starts a module of ours with a message channel to it. */
export function superviseModule(module: URL, options: SuperviseOptions = {}): Supervised {
  const child = spawn(process.execPath, [...(options.execArgv ?? []), fileURLToPath(module)], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: options.env ?? process.env,
  });
  return supervised(child, options);
}

function supervised(child: ChildProcess, { onLine }: SuperviseOptions): Supervised {
  killWithParent(child);
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on('line', (line) => onLine?.(line));
  }
  child.on('error', ({ message }) => onLine?.(message));
  const ended = once(child, 'close').then(
    () => {},
    () => {},
  );
  return {
    process: child,
    ended,
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Outlives this process and kills its children then; one for all of them. */
let reaper: ChildProcess | undefined;

function killWithParent(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return; // it could not be started
  reaper ??= startReaper();
  reaper.stdin?.write(`+${pid}\n`);
  child.once('exit', () => reaper?.stdin?.write(`-${pid}\n`));
}

function startReaper(): ChildProcess {
  const started = spawn(process.execPath, [fileURLToPath(new URL('./reaper.ts', import.meta.url))], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  started.stdin?.on('error', () => {}); // killed from outside
  started.unref();
  (started.stdin as Socket | null)?.unref();
  return started;
}
