import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Stops processes and lets them go on. One that is stopped when this process dies is killed by another one. */
export class Freezer {
  private readonly reaper: ChildProcess;

  constructor() {
    this.reaper = spawn(process.execPath, [fileURLToPath(new URL('./reaper.ts', import.meta.url))], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.reaper.stdin?.on('error', () => {}); // killed from outside
    this.reaper.unref();
  }

  freeze(pid: number): void {
    this.reaper.stdin?.write(`+${pid}\n`);
    signal(pid, 'SIGSTOP');
  }

  thaw(pid: number): void {
    signal(pid, 'SIGCONT');
    this.reaper.stdin?.write(`-${pid}\n`);
  }

  /** Kills what is still stopped. */
  close(): void {
    this.reaper.stdin?.end();
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // it has ended
  }
}
