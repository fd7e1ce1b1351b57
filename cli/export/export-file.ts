import { existsSync, readFileSync } from 'node:fs';
import { type FileHandle, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { EXIT, Failure } from '../frame/failure.ts';

/** What an export keeps over its runs. */
export type Begun = {
  /** What was asked for, as it was written; another run goes on only with the same. */
  readonly settings: string;
  /** The times as the first run understood them, ISO 8601: what is registered later is not part of this export. */
  readonly since: string | undefined;
  readonly until: string;
  readonly salt: string;
};

/** How far it is. */
type ExportState = Begun & {
  /** Where the next page begins; undefined at the beginning, and when it has ended. */
  readonly position: string | undefined;
  readonly ended: boolean;
  /** Of the file that is whole. */
  readonly bytes: number;
  readonly requests: number;
};

const KIND = 'topaz-bridge export';

export type ExportFile = Awaited<ReturnType<typeof openExportFile>>;

/**
 * Opens a file that an export writes page by page. It appears when it is whole; until then its content is in a partial
 * file next to it, and a journal says how much of that is whole and where the next page begins. What a killed run wrote
 * after that is cut off, so nothing is there twice.
 *
 * @param begun what a new export begins with
 * @throws {Failure} something else is there, or an export with other settings
 */
export async function openExportFile(path: string, begun: Begun, fresh: boolean) {
  const journal = `${path}.export-journal`;
  const partial = join(path, '..', `.${basename(path)}.part`);
  const earlier = fresh ? undefined : readState(journal);
  if (earlier && earlier.settings !== begun.settings)
    throw new Failure(
      `${journal} is about an export with other flags: give the same ones, or --fresh to begin again.`,
      EXIT.refused,
    );
  if (!earlier && !fresh && existsSync(path))
    throw new Failure(
      `${path} exists already: give another place by -o, or --fresh to replace it.`,
      EXIT.refused,
    );
  let state: ExportState = earlier ?? { ...begun, position: undefined, ended: false, bytes: 0, requests: 0 };
  const file = await open(partial, 'a', 0o600);
  await cutTo(file, state.bytes, partial);
  return {
    state: () => state,
    /** Adds a page; returns when it is on the disk. */
    async add(lines: string, requests: number, position: string | undefined): Promise<void> {
      await file.appendFile(lines);
      await file.datasync();
      state = {
        ...state,
        position,
        ended: position === undefined,
        bytes: state.bytes + Buffer.byteLength(lines),
        requests: state.requests + requests,
      };
      await replaceFile(journal, JSON.stringify({ journal: KIND, ...state }));
    },
    /** Gives the file its name. */
    async finish(): Promise<void> {
      // Killed between the two, it begins again rather than leave a journal without its file.
      await rm(journal, { force: true });
      await rename(partial, path);
    },
    close: () => file.close(),
  };
}

async function cutTo(file: FileHandle, bytes: number, partial: string): Promise<void> {
  const { size } = await stat(partial);
  if (size < bytes)
    throw new Failure(
      `${partial} is shorter than its journal says: give --fresh to begin again.`,
      EXIT.refused,
    );
  await file.truncate(bytes);
}

/** A kill leaves the old content or the new one. */
async function replaceFile(path: string, content: string): Promise<void> {
  const next = `${path}.next`;
  await writeFile(next, content, { mode: 0o600, flush: true });
  await rename(next, path);
}

function readState(journal: string): ExportState | undefined {
  if (!existsSync(journal)) return undefined;
  try {
    const { journal: kind, ...state } = JSON.parse(readFileSync(journal, 'utf8')) as ExportState & {
      journal: string;
    };
    if (kind === KIND) return state;
  } catch {
    // Something else.
  }
  throw new Failure(`${journal} exists and is not the journal of an export: move it away.`, EXIT.refused);
}
