import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for what several files of tests share, in the environment of all of them; removed after the last. */
export function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'bridge-tests-'));
  process.env.BRIDGE_TEST_FOLDER = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
