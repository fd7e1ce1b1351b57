import { type Client, createClient } from '../../client/client.ts';
import type { Session } from '../command/session.ts';

/** The description of the endpoint; people and a later listen recognize it by this. */
const NAME = 'topaz-bridge listen';

/** The endpoint of that name, or a new one. */
export async function openEndpoint(
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

/** Ctrl-C has ended the other calls by now, so this uses another client. */
export async function removeEndpoint({ connection, out }: Session, endpointId: string): Promise<void> {
  try {
    await createClient({ ...(await connection()), timeoutMs: 10_000 }).endpoints.delete(endpointId);
  } catch {
    out.note(
      `The endpoint is still there; when the bridge answers again: topaz-bridge endpoints rm --yes ${endpointId}`,
    );
  }
}
