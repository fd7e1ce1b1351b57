import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isAlive } from './processes/is-alive.ts';

/** The folder that holds the state of a bridge, held by this process until it is released. */
export type DataDir = {
  path: string;
  /** False when the folder goes away with the bridge. */
  kept: boolean;
  /** Values of secrets by logical id, as saved last. */
  secrets(): Record<string, string>;
  saveSecrets(secrets: Record<string, string>): void;
  /** The saved ports, by the name of the server: addresses in rows must still work after a restart. */
  ports(): Record<string, number>;
  savePorts(ports: Record<string, number>): void;
  release(): void;
};

/** Locks `directory`, which it creates if it is missing. Throws when another living process holds it. */
export function openDataDir(directory: string): DataDir {
  const path = resolve(directory);
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o700); // it holds secrets and what was sent
  const lock = join(path, 'lock');
  takeLock(lock, path);

  const read = <T>(file: string) => JSON.parse(readIfThere(join(path, file)) ?? '{}') as Record<string, T>;
  const write = (file: string, content: object) =>
    writeFileSync(join(path, file), JSON.stringify(content), { mode: 0o600 });
  return {
    path,
    kept: true,
    secrets: () => read<string>('secrets.json'),
    saveSecrets: (secrets) => write('secrets.json', secrets),
    ports: () => read<number>('ports.json'),
    savePorts: (ports) => write('ports.json', ports),
    release: () => rmSync(lock, { force: true }),
  };
}

const TEMPORARY_NAME = /^webhook-bridge-(\d+)-/;

/** A folder that is deleted on release, or when a later bridge finds that its process was killed. */
export function temporaryDataDir(): DataDir {
  for (const name of readdirSync(tmpdir())) {
    const pid = TEMPORARY_NAME.exec(name)?.[1];
    if (pid && !isAlive(Number(pid))) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
  const path = mkdtempSync(join(tmpdir(), `webhook-bridge-${process.pid}-`));
  return {
    path,
    kept: false,
    secrets: () => ({}),
    saveSecrets: () => {},
    ports: () => ({}),
    savePorts: () => {},
    release: () => rmSync(path, { recursive: true, force: true }),
  };
}

function takeLock(lock: string, path: string) {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const holder = Number(readIfThere(lock));
      if (isAlive(holder)) {
        throw new Error(
          `${path} is in use by process ${holder}; end that, choose another folder, ` +
            `or delete ${lock} if that process is not a bridge.`,
        );
      }
      rmSync(lock, { force: true }); // left by a process that was killed
    }
  }
  throw new Error(`${path} was just locked by another process; try again.`);
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
