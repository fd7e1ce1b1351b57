import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A folder for what several files of tests share, in the environment of all of them; removed after the last. Node keeps
 * compiled code there: the processes that tests start load the same modules again and again.
 */
export function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'bridge-tests-'));
  process.env.BRIDGE_TEST_FOLDER = folder;
  process.env.NODE_COMPILE_CACHE ??= join(folder, 'compiled');
  return () => rmSync(folder, { recursive: true, force: true });
}
