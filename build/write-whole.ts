import { renameSync, rmSync, writeFileSync } from 'node:fs';

/** With a rename a file appears whole or not at all, even while others write it. */
export function writeWhole(path: string, contents: string | Uint8Array): void {
  const unfinished = `${path}.${process.pid}`;
  try {
    writeFileSync(unfinished, contents);
    renameSync(unfinished, path);
  } finally {
    rmSync(unfinished, { force: true });
  }
}
