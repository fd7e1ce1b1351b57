import type { Client } from '../../client/client.ts';
import type { Session } from '../command/session.ts';
import { throughOutages } from '../command/through-outages.ts';
import { deliver } from './forward.ts';
import type { Keys } from './keys.ts';
import { showEvent } from './show-event.ts';

/** How long one call waits for messages, s. */
const WAIT_S = 20;
/** How many events are remembered as answered. */
const MAX_ANSWERED = 10_000;

type Relay = {
  readonly endpointId: string;
  readonly forward: string | undefined;
  readonly retry: boolean;
  readonly keys: Keys;
};

/** Until Ctrl-C: messages in their order, each acknowledged once it was answered, whatever the network does. */
export async function relay(
  session: Session,
  bridge: Client,
  { endpointId, forward, retry, keys }: Relay,
): Promise<never> {
  /** They may come again, when the acknowledgement is lost or a read lags behind it, and are not forwarded again. */
  const answered = new Set<string>();
  const call = throughOutages(session, { atMostMs: Number.POSITIVE_INFINITY });
  for (;;) {
    const { items } = await call(() => bridge.endpoints.messages(endpointId, { wait: WAIT_S }));
    for (const message of items) {
      const id = message.headers['webhook-id'] ?? '';
      if (!answered.has(id)) {
        await keys.whilePaused();
        const result = forward === undefined ? undefined : await deliver(session, message, forward, retry);
        showEvent(session, message, result);
        keys.remember(message);
        remember(id);
      }
      await call(() => bridge.endpoints.acknowledge(endpointId, [id]));
    }
  }

  function remember(id: string): void {
    answered.add(id);
    const [oldest] = answered;
    if (answered.size > MAX_ANSWERED && oldest !== undefined) answered.delete(oldest);
  }
}
