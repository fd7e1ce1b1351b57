import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDataDir, temporaryDataDir } from '../../local/data-dir.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'data-dir-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('a data folder', () => {
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
    ['nobody, for it was killed before it wrote its id', () => ''],
  ])('is taken over from %s', (_, holder) => {
    writeFileSync(join(directory, 'lock'), holder());
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

  it('goes away on release when it is temporary', () => {
    const { path, release } = temporaryDataDir();
    expect(existsSync(path)).toBe(true);
    release();
    expect(existsSync(path)).toBe(false);
  });
});
