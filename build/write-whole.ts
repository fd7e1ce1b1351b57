import { renameSync, rmSync, writeFileSync } from 'node:fs';

/** With a rename a file appears whole or not at all, whoever else writes it. */
export function writeWhole(path: string, contents: string | Uint8Array): void {
  const unfinished = `${path}.${process.pid}`;
  try {
    writeFileSync(unfinished, contents);
    renameSync(unfinished, path);
  } finally {
    rmSync(unfinished, { force: true });
  }
}
