import { spawnSync } from 'node:child_process';

/** Of a shell, or of a shim, that finds no such command. */
const NOT_FOUND = 127;

/** Runs a program that is not installed everywhere; undefined where it is not. */
export function runInstalled(
  command: string,
  args: readonly string[],
): { stdout: string; status: number | null } | undefined {
  const { error, stdout, status } = spawnSync(command, args, { encoding: 'utf8' });
  return error !== undefined || status === NOT_FOUND ? undefined : { stdout, status };
}
