import type { Server } from '@modelcontextprotocol/server';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';

/** Serves a client on standard input and output, until it closes one of them or the signal is aborted. */
export async function serve(
  create: () => Server,
  { stdin, stdout }: NodeJS.Process,
  signal: AbortSignal,
): Promise<void> {
  const transport = new StdioServerTransport(stdin, stdout);
  const connection = serveStdio(create, { transport });
  await new Promise<void>((resolve) => {
    const { onclose } = transport;
    transport.onclose = () => {
      onclose?.();
      resolve();
    };
    signal.addEventListener('abort', () => connection.close(), { once: true });
    if (signal.aborted) void connection.close();
  });
}
