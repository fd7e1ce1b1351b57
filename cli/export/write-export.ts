import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Session } from '../command/session.ts';
import { throughOutages } from '../command/through-outages.ts';
import { whileLocked } from '../command/while-locked.ts';
import { parseTime } from '../frame/arguments.ts';
import { usageError } from '../frame/failure.ts';
import { jsonLine, printable } from '../frame/text.ts';
import { createAnonymizer } from './anonymize.ts';
import { type Begun, type ExportFile, openExportFile } from './export-file.ts';
import { exportPages, recordsOf } from './export-records.ts';

export type ExportFlags = {
  since?: string;
  until?: string;
  request?: string[];
  output?: string;
  anonymize?: boolean;
  fresh?: boolean;
};

/** In a pipe, progress is a line for so many requests. */
const SAY_EVERY = 1_000;

/**
 * Writes the selected requests with their events and deliveries, page by page.
 *
 * @throws {Failure} the flags contradict each other, or the file is of something else
 */
export async function writeExport(session: Session, flags: ExportFlags): Promise<void> {
  await whileLocked(flags.output, () => writeSelection(session, flags));
}

async function writeSelection(session: Session, flags: ExportFlags): Promise<void> {
  const { out } = session;
  const { output, fresh = false } = flags;
  const bridge = await session.connect();
  const { url } = await session.connection();
  const begun = beginning(flags, url);
  const file = output === undefined ? undefined : await openExportFile(output, begun, fresh);
  const sink = file ? toFile(session, file) : toOutput(session);
  const call = throughOutages(session, { note: sink.note, hasAnswered: false });
  try {
    // A run that goes on selects as the first one did.
    const { since, until, salt } = file?.state() ?? begun;
    const anonymous = flags.anonymize ? createAnonymizer(salt) : <T>(value: T) => value;
    if (!file?.state().ended) {
      const ids = (flags.request ?? []).map((id) => id.toLowerCase());
      const pages = exportPages(bridge, { since, until, ids }, file?.state().position, call);
      for await (const { requests, next } of pages) {
        const records = await call(() => recordsOf(bridge, requests));
        const lines = records.map((record) => jsonLine(anonymous(record))).join('');
        const found = records.filter(({ kind }) => kind === 'request').length;
        await sink.add(lines, found, next);
      }
    }
    await file?.finish();
  } finally {
    sink.end();
    await file?.close();
  }
  if (!file || output === undefined) return;
  const { requests, bytes } = file.state();
  out.value({ file: output, requests, bytes });
  out.line(`${printable(output)}: ${requests} ${requests === 1 ? 'request' : 'requests'}.`);
}

function beginning({ since, until, request = [], anonymize = false }: ExportFlags, bridge: string): Begun {
  if (request.length > 0 && (since ?? until) !== undefined)
    throw usageError('--request names the requests: leave --since and --until away.');
  const now = Date.now();
  const from = since === undefined ? undefined : parseTime(since, now);
  const to = until === undefined ? new Date(now).toISOString() : parseTime(until, now);
  if (from !== undefined && to <= from) throw usageError('--until must be after --since.');
  return {
    settings: JSON.stringify({ bridge, since, until, request, anonymize }),
    since: from,
    until: to,
    salt: randomBytes(32).toString('base64url'),
  };
}

type Sink = {
  readonly add: (lines: string, requests: number, next: string | undefined) => Promise<void>;
  /** Says something above what is drawn. */
  readonly note: (text: string) => void;
  readonly end: () => void;
};

function toOutput({ process, out, signal }: Session): Sink {
  return {
    add: async (lines) => {
      // A reader that is slow is waited for.
      if (!process.stdout.write(lines)) await once(process.stdout, 'drain', { signal });
    },
    note: out.note,
    end: () => undefined,
  };
}

/** With the progress in place on a terminal, and otherwise a line for each thousand requests. */
function toFile({ out }: Session, file: ExportFile): Sink {
  const live = out.terminal ? out.live() : undefined;
  let said = file.state().requests;
  if (said > 0) out.note(`Goes on after ${said} requests.`);
  return {
    async add(lines, requests, next) {
      await file.add(lines, requests, next);
      const { requests: done } = file.state();
      live?.draw([`${done} requests`]);
      if (live || done < said + SAY_EVERY) return;
      said = done - (done % SAY_EVERY);
      out.line(`${done} requests`);
    },
    note(text) {
      live?.clear();
      out.note(text);
    },
    end: () => live?.clear(),
  };
}
