import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { EXIT, Failure } from '../frame/failure.ts';

/**
 * Works on a file while no other run on this machine does. A file next to it, with the id of this process, is the lock.
 * A lock that a killed run left is ignored.
 *
 * @param path undefined locks nothing
 * @throws {Failure} another run works on the file
 */
export async function whileLocked<T>(path: string | undefined, work: () => Promise<T>): Promise<T> {
  if (path === undefined) return work();
  const lock = `${path}.lock`;
  if (!taken(lock)) {
    const owner = Number(readFileSync(lock, 'utf8'));
    // In a container each run may have the same id, also after one that was killed.
    if (owner !== process.pid && isAlive(owner))
      throw new Failure(
        `Another run (process ${owner}) is at work on ${path}: wait until it has ended. If there is none, delete ${lock}.`,
        EXIT.refused,
      );
    rmSync(lock, { force: true });
    if (!taken(lock))
      throw new Failure(`Another run has just begun with ${path}. Wait until it has ended.`, EXIT.refused);
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function taken(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    // The person named a file in this folder, and does not know of the lock.
    throw Object.assign(error as Error, { path: dirname(resolve(lock)) });
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
