import type { Messages } from '../../client/client.ts';
import type { Session } from '../command/session.ts';
import { pauseAfter } from '../command/through-outages.ts';

/** A signed webhook, as a pull endpoint holds it. */
export type Message = Messages['items'][number];

/** A receiver on this machine may take longer than the 15 s that a deployed bridge waits, ms. */
const FORWARD_TIMEOUT_MS = 30_000;

export type Result = { status: number; durationMs: number };

/** Sends until the server answers, and with `retry` until it answers 2xx: the order of events stays. */
export async function deliver(
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
export async function send({ headers, body }: Message, url: string, signal: AbortSignal): Promise<Result> {
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
