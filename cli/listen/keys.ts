import { spawn } from 'node:child_process';
import type { Session } from '../command/session.ts';
import { printable } from '../frame/text.ts';
import { type Message, send } from './forward.ts';
import { showEvent } from './show-event.ts';

const HELP = 'Keys: r send the last event again, d show it whole, o open the console, p pause, q end.';
const CTRL_C = '\u0003';
const PAUSE_CHECK_MS = 200;

export type Keys = ReturnType<typeof watchKeys>;

/** What a person types while events come in. Without a terminal there are no keys, and nothing pauses. */
export function watchKeys(session: Session, forward: string | undefined) {
  const { process, out, connection, interrupt, sleep, signal } = session;
  const { stdin } = process;
  const active = stdin.isTTY === true && out.terminal;
  let paused = false;
  let last: Message | undefined;

  const actions: Readonly<Record<string, () => void>> = {
    [CTRL_C]: interrupt,
    q: interrupt,
    r: () => void resend(),
    d: () => out.line(last ? printable(last.body) : 'No event has come yet.'),
    o: () => void openConsole(),
    p: () => {
      paused = !paused;
      out.note(paused ? 'Paused; p continues.' : 'Continuing.');
    },
  };

  async function resend(): Promise<void> {
    if (forward === undefined) return out.note('There is nowhere to send it: listen with --forward.');
    if (!last) return out.note('No event has come yet.');
    try {
      showEvent(session, last, await send(last, forward, signal));
    } catch (error) {
      if (!signal.aborted) out.note(`It was not answered: ${printable((error as Error).message)}`);
    }
  }

  async function openConsole(): Promise<void> {
    const url = `${(await connection()).url}/console/`;
    out.note(`The console: ${url}`);
    openInBrowser(url);
  }

  function onTyped(typed: Buffer): void {
    for (const key of typed.toString()) if (Object.hasOwn(actions, key)) actions[key]?.();
  }
  if (active) {
    stdin.setRawMode(true);
    stdin.on('data', onTyped);
    out.note(HELP);
  }

  return {
    /** What r and d are about. */
    remember(message: Message): void {
      last = message;
    },
    /** Resolves when it is not paused; rejects on Ctrl-C. */
    async whilePaused(): Promise<void> {
      while (paused) await sleep(PAUSE_CHECK_MS);
    },
    close(): void {
      if (!active) return;
      stdin.off('data', onTyped);
      stdin.setRawMode(false);
      stdin.pause();
    },
  };
}

/** What opens an address, and its arguments before it. */
const OPENERS: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ['open'],
  // Not start, for which the shell would read an address as a command.
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

function openInBrowser(url: string): void {
  const [opener = '', ...args] = OPENERS[process.platform] ?? ['xdg-open'];
  spawn(opener, [...args, url], { stdio: 'ignore', detached: true })
    .on('error', () => undefined)
    .unref();
}
