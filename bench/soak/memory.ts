import { readdirSync, readFileSync } from 'node:fs';

type Process = { readonly pid: number; readonly parent: number; readonly mib: number };
export type Memory = Record<string, { mib: number; processes: number }>;

const PAGE_BYTES = 4_096;
const MIB = 1024 ** 2;

/** Resident memory of a process and of all below it, by the function that each runs (Linux only). */
export function memoryOf(root: number): Memory {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => processAt(Number(pid)) ?? []);
  const memory: Memory = {};
  const add = (process: Process) => {
    const name = process.pid === root ? 'runtime' : nameOf(process.pid);
    const sum = memory[name] ?? { mib: 0, processes: 0 };
    memory[name] = { mib: sum.mib + process.mib, processes: sum.processes + 1 };
    for (const child of all) if (child.parent === process.pid) add(child);
  };
  for (const process of all) if (process.pid === root) add(process);
  return memory;
}

function processAt(pid: number): Process | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return { pid, parent: Number(fields[1]), mib: (Number(fields[21]) * PAGE_BYTES) / MIB };
  } catch {
    return undefined; // it has ended
  }
}

function nameOf(pid: number): string {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    const variable = environment.find((each) => each.startsWith('AWS_LAMBDA_FUNCTION_NAME='));
    return variable?.split('=')[1] ?? 'emulators';
  } catch {
    return 'emulators';
  }
}

/** The slope of the line through points, in units an hour. @param points ms and value */
export function slopePerHour(points: readonly (readonly [ms: number, value: number])[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;
  const x = mean(points.map(([ms]) => ms));
  const y = mean(points.map(([, value]) => value));
  const over = points.reduce((sum, [ms, value]) => sum + (ms - x) * (value - y), 0);
  const under = points.reduce((sum, [ms]) => sum + (ms - x) ** 2, 0);
  return (over / under) * 3_600_000;
}
