import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildCommandLine } from '../../build/command-line.ts';

/** A pseudo-terminal with a command. */
type Terminal = {
  readonly outcome: Promise<Outcome>;
  /** All that was shown so far. */
  readonly text: () => string;
  /** Resolves when all that was shown so far matches. */
  readonly shows: (pattern: RegExp) => Promise<void>;
  readonly type: (keys: string) => void;
};
type Outcome = { code: number | null; stdout: string; stderr: string };
export type CommandLine = Awaited<ReturnType<typeof openCommandLine>>;

/** Resolves when a command has said this on its standard error; give it a command that was just started. */
export function warns(child: ChildProcess, text: string): Promise<void> {
  let said = '';
  return new Promise((resolve, reject) => {
    child.stderr?.on('data', (more: Buffer) => {
      said += more;
      if (said.includes(text)) resolve();
    });
    child.once('close', () => reject(new Error(`It ended without saying ${text}: ${said}`)));
  });
}

/** Where the command line is built for all files of tests that share a process. */
let shared: Promise<string> | undefined;

async function build(folder: string): Promise<string> {
  await buildCommandLine(folder);
  return folder;
}

/**
 * The command line as it is published, in processes of its own with a home of their own.
 *
 * @param bridge which its environment names; none by default
 */
export async function openCommandLine(bridge?: { readonly url: string; readonly key: string }) {
  const folder = mkdtempSync(join(tmpdir(), 'bridge-cli-'));
  const { BRIDGE_TEST_FOLDER } = process.env;
  if (BRIDGE_TEST_FOLDER) shared ??= build(mkdtempSync(join(BRIDGE_TEST_FOLDER, 'cli-')));
  const script = join(await (shared ?? build(join(folder, 'bin'))), 'topaz-bridge.mjs');
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    ...(bridge && { BRIDGE_URL: bridge.url, BRIDGE_API_KEY: bridge.key }),
  };
  const running = new Set<ChildProcess>();

  function start(args: readonly string[], more: Record<string, string> = {}): ChildProcess {
    const child = spawn(process.execPath, [script, ...args], {
      cwd: folder,
      env: { ...env, ...more },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    running.add(child);
    child.once('close', () => running.delete(child));
    return child;
  }

  /** Starts a command on a pseudo-terminal, on which a person reads and types. */
  function openTerminal(args: readonly string[], more: Record<string, string> = {}): Terminal {
    const quoted = [process.execPath, script, ...args].map((each) => `'${each}'`).join(' ');
    // A pseudo-terminal has no size until it is given one.
    const sized = `stty cols 100 rows 30; exec ${quoted}`;
    const child = spawn('script', ['-qec', sized, '/dev/null'], {
      cwd: folder,
      env: { ...env, TERM: 'xterm', ...more },
    });
    running.add(child);
    let text = '';
    let ended = false;
    child.once('close', () => {
      running.delete(child);
      ended = true;
    });
    child.stdout.on('data', (each: Buffer) => {
      text += each;
    });
    return {
      outcome: outcomeOf(child),
      text: () => text,
      shows: (pattern) =>
        new Promise<void>((resolve, reject) => {
          const fail = () => reject(new Error(`It ended without showing ${pattern}: ${text}`));
          const look = () => {
            if (pattern.test(text)) resolve();
          };
          child.stdout.on('data', look);
          child.once('close', fail);
          look();
          if (ended) fail();
        }),
      type: (keys) => child.stdin.write(keys),
    };
  }

  return {
    folder,
    script,
    /** The environment of all calls, for tests to change. */
    env,
    start,
    /** Runs a command to its end in a pipe. */
    run(
      args: readonly string[],
      { input, env: more }: { input?: string; env?: Record<string, string> } = {},
    ) {
      const child = start(args, more);
      child.stdin?.end(input ?? '');
      return outcomeOf(child);
    },
    openTerminal,
    /** Runs a command on a pseudo-terminal to its end. */
    runOnTerminal: (args: readonly string[]): Promise<Outcome> => openTerminal(args).outcome,
    close() {
      for (const child of running) child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function outcomeOf(child: ChildProcess): Promise<Outcome> {
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
}

/** The values of JSON lines. */
export const valuesOf = (stdout: string): unknown[] =>
  stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as unknown]));
