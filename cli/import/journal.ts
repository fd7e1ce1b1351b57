import { randomUUID } from 'node:crypto';
import { closeSync, fdatasyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { EXIT, Failure } from '../frame/failure.ts';

/** How the registration of a line ended. */
export type Result = {
  readonly line: number;
  readonly requestId: string;
  /** As the bridge gave it: 201 and 200 mean that it is tracked. */
  readonly status: number;
  /** A hash of what was sent. */
  readonly content: string;
  readonly reason?: string | undefined;
};
/** A file of JSON lines: this one, then a {@link Result} a line. */
type Head = { readonly journal: typeof KIND; readonly bridge: string; readonly key: string };

const KIND = 'topaz-bridge import';

export type Journal = ReturnType<typeof openJournal>;

/**
 * Opens what an import keeps of its results, so that a later run goes on where it ended. A line that a killed run left
 * half written is cut off: the bridge may have registered it, and is asked again under the same key.
 *
 * @param path undefined keeps nothing beyond this run
 * @param fresh whether to forget what is there
 * @throws {Failure} the file is something else, or about another bridge
 */
export function openJournal(path: string | undefined, bridge: string, fresh: boolean) {
  const { head, results, bytes } = path === undefined ? NOTHING : readJournal(path);
  if (head && !fresh && head.bridge !== bridge)
    throw new Failure(
      `${path} is about another bridge, ${head.bridge}: give another one by --journal, or --fresh to forget it.`,
      EXIT.refused,
    );
  const known = fresh ? undefined : head;
  const key = known?.key ?? randomUUID();
  let file: number | undefined;
  /** There is no file until there is a result. */
  const open = (place: string): number => {
    const opened = openSync(place, 'a', 0o600);
    ftruncateSync(opened, known ? bytes : 0);
    if (!known) writeSync(opened, `${JSON.stringify({ journal: KIND, bridge, key } satisfies Head)}\n`);
    return opened;
  };
  return {
    path,
    /**
     * The idempotency key of all batches. The bridge keeps it for each request, so that what a killed run sent
     * without hearing of it is answered as it was then.
     */
    key,
    /** Those of earlier runs that are tracked, by id. */
    tracked: new Map(
      (known ? results : [])
        .filter(({ status }) => isTracked(status))
        .map((result) => [result.requestId, result]),
    ),
    /** Returns when they are on the disk. */
    add(added: readonly Result[]): void {
      if (path === undefined) return;
      file ??= open(path);
      writeSync(file, added.map((result) => `${JSON.stringify(result)}\n`).join(''));
      fdatasyncSync(file);
    },
    close(): void {
      if (file !== undefined) closeSync(file);
    },
  };
}

export const isTracked = (status: number): boolean => status < 300;

type Found = { readonly head: Head | undefined; readonly results: Result[]; readonly bytes: number };
const NOTHING: Found = { head: undefined, results: [], bytes: 0 };

function readJournal(path: string): Found {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return NOTHING;
    throw error;
  }
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (text === '') return NOTHING;
  try {
    const [head, ...results] = whole
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Head & Result);
    // Cut off within its first line, it holds nothing.
    if (!head && `{"journal":"${KIND}"`.startsWith(text.slice(0, 12))) return NOTHING;
    if (head?.journal === KIND) return { head, results, bytes: Buffer.byteLength(whole) };
  } catch {
    // Something else.
  }
  throw new Failure(
    `${path} exists and is not the journal of an import: give another place by --journal.`,
    EXIT.refused,
  );
}
