import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDataDir, temporaryDataDir } from '../../local/data-dir.ts';
import { isAlive } from '../../local/processes/is-alive.ts';

let directory: string;
const closers: (() => unknown)[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'data-dir-'));
});
afterEach(() => {
  for (const close of closers.splice(0)) close();
  rmSync(directory, { recursive: true });
});

describe('a data folder', () => {
  it('can be read by no other user, also when it was there before', () => {
    chmodSync(directory, 0o755);
    openDataDir(directory);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });

  it('is created with what leads to it', () => {
    const path = join(directory, 'a', 'b');
    openDataDir(path);
    expect(existsSync(path)).toBe(true);
  });

  it('is refused to a second bridge, with the process that holds it', () => {
    openDataDir(directory);
    expect(() => openDataDir(directory)).toThrow(`in use by process ${process.pid}`);
  });

  it('is free again after its release', () => {
    openDataDir(directory).release();
    expect(() => openDataDir(directory)).not.toThrow();
  });

  it.each([
    ['a process that is gone', () => String(spawnSync('true').pid)],
    ['a process that was killed and not waited for', unreaped],
    ['no process: its holder was killed before it wrote its id', () => ''],
  ])('is taken over from %s', async (_, holder) => {
    writeFileSync(join(directory, 'lock'), await holder());
    expect(() => openDataDir(directory)).not.toThrow();
    expect(() => openDataDir(directory)).toThrow(`in use by process ${process.pid}`);
  });

  it('keeps secrets, for its owner alone', () => {
    const first = openDataDir(directory);
    expect(first.secrets()).toEqual({});
    first.saveSecrets({ Key: 'k' });
    first.release();
    expect(openDataDir(directory).secrets()).toEqual({ Key: 'k' });
    expect(statSync(join(directory, 'secrets.json')).mode & 0o077).toBe(0);
  });

  it('that a killed process left in the temporary folder is cleared away', () => {
    const left = mkdtempSync(join(tmpdir(), `webhook-bridge-${spawnSync('true').pid}-`));
    const { path, release } = temporaryDataDir();
    closers.push(release);
    expect(existsSync(left)).toBe(false);
    expect(existsSync(path)).toBe(true);
  });

  it('keeps ports', () => {
    const first = openDataDir(directory);
    first.savePorts({ receiver: 4000 });
    expect(first.ports()).toEqual({ receiver: 4000 });
  });

  it('goes away on release when it is temporary', () => {
    const { path, release } = temporaryDataDir();
    expect(existsSync(path)).toBe(true);
    release();
    expect(existsSync(path)).toBe(false);
  });
});

/** The id of a zombie: its parent, a shell that became `sleep`, never asks for its end. */
async function unreaped(): Promise<string> {
  const shell = spawn('sh', ['-c', 'true & echo $!; exec sleep 60']);
  closers.push(() => shell.kill('SIGKILL'));
  const [line] = (await once(createInterface({ input: shell.stdout }), 'line')) as [string];
  await vi.waitFor(() => expect(isAlive(Number(line))).toBe(false), 10_000);
  return line;
}
