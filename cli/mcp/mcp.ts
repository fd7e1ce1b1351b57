import { command } from '../command/command.ts';

export const mcp = command<{ allowWrites?: boolean }>({
  brief: 'Offer the bridge to a model as tools, by the Model Context Protocol on standard input and output',
  description: `Offer the bridge to a model as tools, by the Model Context Protocol on standard input and output: requests, one
request's story, endpoints, deliveries, stats and doctor. With --allow-writes also: track, poll, restart and stop a request,
retry and replay deliveries. No tool erases anything, submits a job or gives a secret, and of URLs only the origin is
shown. A key with the role "read" is enough without --allow-writes.`,
  examples: [
    ['mcp --profile local', 'Tools that read'],
    ['mcp --profile production --allow-writes', 'Tools that also change'],
  ],
  flags: {
    allowWrites: {
      kind: 'boolean',
      brief: 'Also offer tools that change something',
      optional: true,
      withNegated: false,
    },
  },
  async run(session, { allowWrites = false }) {
    const { process, out, signal } = session;
    const [{ createServer }, { serve }] = await Promise.all([import('./server.ts'), import('./serve.ts')]);
    const bridge = await session.connect();
    if (process.stdin.isTTY)
      out.note('This speaks the Model Context Protocol: let the client of a model start it. Ctrl-C ends it.');
    await serve(() => createServer(bridge, { allowWrites, url: session.url() }), process, signal);
    signal.throwIfAborted();
  },
});
