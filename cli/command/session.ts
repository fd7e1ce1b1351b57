import { setTimeout } from 'node:timers/promises';
import { type Client, createClient } from '../../client/client.ts';
import { type Connection, type ConnectionFlags, findConnection } from '../connection/find-connection.ts';
import { interrupted } from '../frame/failure.ts';
import { createOutput, type Output } from '../frame/output.ts';

/** What a command works with. */
export type Session = {
  /** How the person named a bridge. */
  readonly named: ConnectionFlags;
  readonly process: NodeJS.Process;
  readonly out: Output;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** The address and key of the bridge; looked up once. */
  readonly connection: () => Promise<Connection>;
  /** A client whose calls end with Ctrl-C. */
  readonly connect: () => Promise<Client>;
  /** The address, once it is known. */
  readonly url: () => string | undefined;
  /** Waits; rejects on Ctrl-C. */
  readonly sleep: (ms: number) => Promise<void>;
  /** Does what Ctrl-C does. */
  readonly interrupt: () => void;
  readonly end: () => void;
};

export function openSession(process: NodeJS.Process, flags: ConnectionFlags & { json?: boolean }): Session {
  const controller = new AbortController();
  const { signal } = controller;
  const interrupt = () => {
    if (signal.aborted) process.exit(interrupted().exitCode);
    controller.abort(interrupted());
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, interrupt);
  // A pseudo-terminal that was given no size has none, and prompts would break after each letter.
  if (process.stdout.isTTY) process.stdout.columns ||= 80;
  const out = createOutput(process, flags.json ?? false);
  let found: Connection | undefined;
  const connection = async () => {
    found ??= await findConnection(flags, process.env, signal);
    return found;
  };
  return {
    named: flags,
    process,
    out,
    signal,
    connection,
    url: () => found?.url,
    interrupt,
    connect: async () => {
      const { url, key } = await connection();
      const abortable: typeof fetch = (input, init) =>
        fetch(input, {
          ...init,
          signal: init?.signal ? AbortSignal.any([init.signal, signal]) : signal,
        }).catch((error: unknown) => {
          throw signal.aborted ? signal.reason : error;
        });
      return createClient({
        url,
        key,
        fetch: abortable,
        sleep: (ms) => setTimeout(ms, undefined, { signal }),
      });
    },
    sleep: (ms) => setTimeout(ms, undefined, { signal }),
    end: () => {
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(name, interrupt);
    },
  };
}
