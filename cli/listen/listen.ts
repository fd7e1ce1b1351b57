import { command } from '../command/command.ts';
import { usageError } from '../frame/failure.ts';

type Flags = {
  forward?: string;
  events?: string[];
  retry?: boolean;
  keep?: string;
  printSecret?: boolean;
};

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
  async run(session, { forward, events, retry = false, keep, printSecret }) {
    const { out } = session;
    if (forward !== undefined && !(/^https?:/i.test(forward) && URL.canParse(forward)))
      throw usageError(`--forward takes an http or https URL, not "${forward}".`);
    const [{ openEndpoint, removeEndpoint }, { relay }, { watchKeys }] = await Promise.all([
      import('./pull-endpoint.ts'),
      import('./relay.ts'),
      import('./keys.ts'),
    ]);
    const bridge = await session.connect();
    const endpointId = await openEndpoint(bridge, events, keep);
    const keys = watchKeys(session, forward);
    try {
      out.note(`Listening as ${endpointId}.`);
      if (printSecret) out.note(`The secret is ${(await bridge.endpoints.secret(endpointId)).secret}`);
      await relay(session, bridge, { endpointId, forward, retry, keys });
    } finally {
      keys.close();
      if (keep === undefined) await removeEndpoint(session, endpointId);
    }
  },
});
