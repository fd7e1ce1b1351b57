import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';

export type Measured = { readonly seconds: number; readonly cpuSeconds: number; readonly peakRssMiB: number };

const SAMPLE_MS = 50;

/**
 * Runs a shell command and measures it with all processes that it starts: CPU as the shell counts
 * it, memory as the sum of each process's own peak (Linux only). Throws when the command fails.
 */
export async function measure(command: string, env: NodeJS.ProcessEnv): Promise<Measured> {
  const timed = `set -o pipefail; TIMEFORMAT='@@ %R %U %S'; time { ${command}; }`;
  const child = spawn('bash', ['-c', timed], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const peaks = new Map<number, number>();
  const sampler = setInterval(() => {
    for (const pid of descendants(child.pid ?? 0))
      peaks.set(pid, Math.max(peaks.get(pid) ?? 0, peakRss(pid)));
  }, SAMPLE_MS);
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  clearInterval(sampler);
  const [, real, user, system] = /@@ ([\d.]+) ([\d.]+) ([\d.]+)/.exec(stderr) ?? [];
  if (code !== 0 || real === undefined) throw new Error(`"${command}" failed: ${stderr.slice(-500)}`);
  const peakRssMiB = [...peaks.values()].reduce((sum, peak) => sum + peak, 0);
  return { seconds: Number(real), cpuSeconds: Number(user) + Number(system), peakRssMiB };
}

/** Processes below the shell, not the shell itself. */
function descendants(pid: number): number[] {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    const children = tasks.flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')
        .trim()
        .split(/\s+/)
        .filter(Boolean)
        .map(Number),
    );
    return children.flatMap((child) => [child, ...descendants(child)]);
  } catch {
    return [];
  }
}

function peakRss(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
