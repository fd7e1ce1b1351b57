import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { whileLocked } from '../../cli/command/while-locked.ts';
import { failureOf } from '../../cli/frame/failure.ts';

const folder = mkdtempSync(join(tmpdir(), 'bridge-lock-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string) => join(folder, name);
const lockOf = (name: string) => file(`${name}.lock`);

test('a file is locked while it is worked on, and free afterwards, also after a failure', async () => {
  const seen = await whileLocked(file('a'), async () => readFileSync(lockOf('a'), 'utf8'));
  expect(seen).toBe(String(process.pid));
  expect(existsSync(lockOf('a'))).toBe(false);
  const failing = whileLocked(file('a'), async () => {
    throw new Error('disk');
  });
  await expect(failing).rejects.toThrow('disk');
  expect(existsSync(lockOf('a'))).toBe(false);
});

test('the lock of a process that lives keeps others away, and stays', async () => {
  writeFileSync(lockOf('b'), String(process.ppid));
  const refused = whileLocked(file('b'), async () => 'worked');
  await expect(refused).rejects.toThrow(`Another run (process ${process.ppid}) is at work on ${file('b')}`);
  expect(existsSync(lockOf('b'))).toBe(true);
});

test.each([
  ['a dead process', '4194304'],
  ['an earlier process with the same id, as in a container', String(process.pid)],
  ['nothing, since the run was killed while it wrote', ''],
])('the lock of %s is ignored', async (_of, content) => {
  writeFileSync(lockOf('c'), content);
  expect(await whileLocked(file('c'), async () => 'worked')).toBe('worked');
  expect(existsSync(lockOf('c'))).toBe(false);
});

test('a file in a folder that is missing is refused by the name of the folder', async () => {
  const refused = whileLocked(file('missing/x'), async () => 'worked').catch((error) => failureOf(error));
  expect(await refused).toMatchObject({ message: `${file('missing')}: There is no such file or folder.` });
});

test('without a file nothing is locked', async () => {
  expect(await whileLocked(undefined, async () => 'worked')).toBe('worked');
});
