import { spawn } from 'node:child_process';
import type { Client, Messages } from '../../client/client.ts';
import { command } from '../command/command.ts';
import type { Session } from '../command/session.ts';
import { usageError } from '../frame/failure.ts';
import { durationText, printable } from '../frame/text.ts';

type Message = Messages['items'][number];
type Flags = {
  forward?: string;
  events?: string[];
  retry?: boolean;
  keep?: string;
  printSecret?: boolean;
};
type Shown = { id: string; type: string; data: { requestId?: string; sequence?: number } };

/** How long one call waits for messages, s. */
const WAIT_S = 20;
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 10_000;
/** What a receiver may take, as deployed, ms. */
const FORWARD_TIMEOUT_MS = 30_000;
const NAME = 'topaz-bridge listen';

export const listen = command<Flags>({
  brief: 'Show events as they happen, and forward them to a server on this machine',
  description: `Show events as they happen, and with --forward send them, signed, to a server on this machine. No public address
is needed: a pull endpoint holds the events, and each is acknowledged only after the server has answered. The
endpoint is deleted at the end; --keep NAME keeps it, and the next listen --keep NAME continues there.

On a terminal: r sends the last event again, d shows it whole, o opens the console, p pauses, q ends.`,
  examples: [
    ['listen --forward http://localhost:3000/hooks --print-secret', 'Try a receiver out'],
    ['listen --events video.stored --json', 'One JSON line for each stored video'],
  ],
  flags: {
    forward: {
      kind: 'parsed',
      parse: String,
      brief: 'Where to send each event',
      placeholder: 'URL',
      optional: true,
    },
    events: {
      kind: 'parsed',
      parse: String,
      brief: 'Only these (repeatable): a type, or a prefix with .*',
      placeholder: 'TYPE',
      variadic: true,
      optional: true,
    },
    retry: {
      kind: 'boolean',
      brief: 'Send again what was not answered by 2xx',
      optional: true,
      withNegated: false,
    },
    keep: {
      kind: 'parsed',
      parse: String,
      brief: 'Keep the endpoint under this name',
      placeholder: 'NAME',
      optional: true,
    },
    printSecret: {
      kind: 'boolean',
      brief: 'Print the secret that signs',
      optional: true,
      withNegated: false,
    },
  },
  async run(session, { forward, events, retry, keep, printSecret }) {
    const { out, signal } = session;
    if (forward !== undefined && !URL.canParse(forward))
      throw usageError(`--forward takes a URL, not "${forward}".`);
    const bridge = await session.connect();
    const endpointId = await openEndpoint(bridge, events, keep);
    const keys = watchKeys(session);
    if (forward !== undefined)
      keys.resend = async (message) => show(session, message, await send(message, forward, signal));
    try {
      out.note(`Listening as ${endpointId}.`);
      if (printSecret) out.note(`The secret is ${(await bridge.endpoints.secret(endpointId)).secret}`);
      await relay(session, bridge, { endpointId, forward, retry: retry ?? false, keys });
    } finally {
      keys.close();
      if (keep === undefined) await removeEndpoint(session, endpointId);
    }
    signal.throwIfAborted();
  },
});

/** The endpoint of that name, or a new one. */
async function openEndpoint(
  bridge: Client,
  events: string[] | undefined,
  keep: string | undefined,
): Promise<string> {
  const description = keep === undefined ? NAME : `${NAME} --keep ${keep}`;
  if (keep !== undefined) {
    for await (const endpoint of bridge.endpoints.list({ kind: 'pull' })) {
      if (endpoint.description !== description) continue;
      if (events && events.join() !== endpoint.events.join())
        await bridge.endpoints.change(endpoint.id, { events });
      return endpoint.id;
    }
  }
  return (await bridge.endpoints.create({ kind: 'pull', events, description })).id;
}

/** Ctrl-C has ended the other calls by now, so this has a client of its own. */
async function removeEndpoint({ connection, out }: Session, endpointId: string): Promise<void> {
  const { createClient } = await import('../../client/client.ts');
  try {
    await createClient({ ...(await connection()), timeoutMs: 10_000 }).endpoints.delete(endpointId);
  } catch {
    out.note(
      `The endpoint is still there; when the bridge answers again: topaz-bridge endpoints rm --yes ${endpointId}`,
    );
  }
}

type Relay = {
  readonly endpointId: string;
  readonly forward: string | undefined;
  readonly retry: boolean;
  readonly keys: ReturnType<typeof watchKeys>;
};

/** Until Ctrl-C: messages in their order, each acknowledged once it was answered, whatever the network does. */
async function relay(
  session: Session,
  bridge: Client,
  { endpointId, forward, retry, keys }: Relay,
): Promise<void> {
  const { out, signal, sleep } = session;
  /** Answered, and perhaps not acknowledged: they come again, and are not forwarded again. */
  const answered = new Set<string>();
  let failures = 0;
  while (!signal.aborted) {
    try {
      await keys.whilePaused();
      const { items } = await bridge.endpoints.messages(endpointId, { wait: WAIT_S });
      if (failures > 0) out.note('The bridge answers again.');
      failures = 0;
      for (const message of items) {
        const id = message.headers['webhook-id'] ?? '';
        if (!answered.has(id)) {
          const result = forward === undefined ? undefined : await deliver(session, message, forward, retry);
          show(session, message, result);
          keys.last = message;
          answered.add(id);
        }
        await bridge.endpoints.acknowledge(endpointId, [id]);
        answered.delete(id);
      }
    } catch (error) {
      if (signal.aborted) return;
      // Of a refusal that waiting does not change, the person must hear.
      const { status, retryAfterMs } = error as { status?: number; retryAfterMs?: number };
      if (status !== undefined && status < 500 && status !== 429) throw error;
      if (failures++ === 0) out.note(`${printable((error as Error).message)} Trying again.`);
      await sleep(retryAfterMs ?? pauseAfter(failures)).catch(() => undefined);
    }
  }
}

type Result = { status: number; durationMs: number };

/** Sends until the server answers, and with `retry` until it answers 2xx: the order of events stays. */
async function deliver(
  { out, signal, sleep }: Session,
  message: Message,
  url: string,
  retry: boolean,
): Promise<Result> {
  for (let failures = 1; ; failures++) {
    try {
      const result = await send(message, url, signal);
      if ((result.status >= 200 && result.status < 300) || !retry) return result;
      out.note(`${url} answered ${result.status}; sending again.`);
    } catch (error) {
      signal.throwIfAborted();
      if (failures === 1) {
        const { cause } = error as { cause?: { code?: string } };
        out.note(`${url} does not answer (${cause?.code ?? (error as Error).name}); trying again.`);
      }
    }
    await sleep(pauseAfter(failures));
  }
}

/** The same bytes and headers as a webhook. */
async function send({ headers, body }: Message, url: string, signal: AbortSignal): Promise<Result> {
  const began = Date.now();
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
    redirect: 'manual',
    signal: AbortSignal.any([signal, AbortSignal.timeout(FORWARD_TIMEOUT_MS)]),
  });
  const result = { status: response.status, durationMs: Date.now() - began };
  // The status is the answer; what follows cannot undo it.
  await response.body?.cancel().catch(() => undefined);
  return result;
}

const pauseAfter = (failures: number): number => Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));

function show({ out }: Session, { body }: Message, result: Result | undefined): void {
  const event = JSON.parse(body) as Shown;
  out.value(result ? { event, forwarded: result } : { event });
  const { requestId = '', sequence } = event.data;
  const number = sequence === undefined ? '' : ` #${sequence}`;
  const answer = result ? `  ${result.status} in ${durationText(result.durationMs)}` : '';
  const colour = result && (result.status < 200 || result.status >= 300) ? 'red' : 'green';
  const time = new Date().toISOString().slice(11, 19);
  out.line(
    `${time}  ${printable(`${requestId.slice(0, 8)}${number} ${event.type}  ${event.id}`)}${out.paint(colour, answer)}`,
  );
}

/** What a person types while events come in. */
function watchKeys(session: Session) {
  const { process, out, connection, interrupt, sleep, signal } = session;
  const { stdin } = process;
  const active = stdin.isTTY === true && out.terminal;
  let paused = false;
  const watched = {
    last: undefined as Message | undefined,
    resend: undefined as ((message: Message) => Promise<void>) | undefined,
    async whilePaused(): Promise<void> {
      while (paused) await sleep(200);
    },
    close(): void {
      if (!active) return;
      stdin.off('data', onKey);
      stdin.setRawMode(false);
      stdin.pause();
    },
  };
  function onKey(key: Buffer): void {
    const { last } = watched;
    const typed = key.toString();
    if (typed === '\u0003' || typed === 'q') interrupt();
    if (typed === 'd') out.line(last ? printable(last.body) : 'No event has come yet.');
    if (typed === 'o') void connection().then(({ url }) => openInBrowser(`${url}/console/`));
    if (typed === 'r') void resend(last);
    if (typed === 'p') {
      paused = !paused;
      out.note(paused ? 'Paused; p continues.' : 'Continuing.');
    }
  }
  async function resend(last: Message | undefined): Promise<void> {
    try {
      if (last) await watched.resend?.(last);
      else out.note('No event has come yet.');
    } catch (error) {
      if (!signal.aborted) out.note(`It was not answered: ${printable((error as Error).message)}`);
    }
  }
  if (active) {
    stdin.setRawMode(true);
    stdin.on('data', onKey);
  }
  return watched;
}

function openInBrowser(url: string): void {
  const opener = process.platform === 'darwin' ? 'open' : 'xdg-open';
  spawn(opener, [url], { stdio: 'ignore', detached: true })
    .on('error', () => undefined)
    .unref();
}
