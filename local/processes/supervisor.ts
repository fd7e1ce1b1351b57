import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
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
  const wrapper = fileURLToPath(new URL('./supervised-program.ts', import.meta.url));
  const child = spawn(process.execPath, [wrapper, command, ...args], {
    // A separate process group: Ctrl-C in the terminal reaches only the parent, which ends its children in order.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: options.env ?? process.env,
  });
  return supervised(child, options, () => child.stdin?.end());
}

/** Starts a module of ours, which must load `parent-watch.ts` in a worker, with a message channel to it. */
export function superviseModule(module: URL, options: SuperviseOptions = {}): Supervised {
  const child = spawn(process.execPath, [...(options.execArgv ?? []), fileURLToPath(module)], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
    env: options.env ?? process.env,
  });
  return supervised(child, options, () => child.kill('SIGKILL'));
}

function supervised(child: ChildProcess, { onLine }: SuperviseOptions, end: () => void): Supervised {
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on('line', (line) => onLine?.(line));
  }
  child.stdin?.on('error', () => {}); // the child may be gone before its pipe is closed
  const ended = once(child, 'close').then(
    () => {},
    () => {},
  );
  return {
    process: child,
    ended,
    stop: async () => {
      end();
      await ended;
    },
  };
}
