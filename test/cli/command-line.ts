import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildCommandLine } from '../../build/command-line.ts';

export type Outcome = { code: number | null; stdout: string; stderr: string };
export type CommandLine = Awaited<ReturnType<typeof openCommandLine>>;

/** The command line as it is published, in processes of its own with a home of their own. */
export async function openCommandLine() {
  const folder = mkdtempSync(join(tmpdir(), 'bridge-cli-'));
  await buildCommandLine(join(folder, 'bin'));
  const script = join(folder, 'bin/topaz-bridge.mjs');
  const env: Record<string, string> = { PATH: process.env.PATH ?? '', HOME: folder };
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

  return {
    folder,
    script,
    /** The environment of all calls; tests add the bridge. */
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
    /** Runs a command on a pseudo-terminal. */
    runOnTerminal(args: readonly string[], keys = ''): Promise<Outcome> {
      const quoted = [process.execPath, script, ...args].map((each) => `'${each}'`).join(' ');
      const child = spawn('script', ['-qec', quoted, '/dev/null'], {
        cwd: folder,
        env: { ...env, TERM: 'xterm' },
      });
      running.add(child);
      child.once('close', () => running.delete(child));
      child.stdin.end(keys);
      return outcomeOf(child);
    },
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
