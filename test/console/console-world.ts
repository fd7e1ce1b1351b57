import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { createClient } from '../../client/client.ts';
import { ADMIN_KEY, startLocalBridge } from '../support/local-bridge.ts';

/** A running bridge with its upstream, and a receiver that answers with what it is told to. */
export async function startConsoleWorld({ speed = 1 } = {}) {
  const receiver = { status: 204, received: 0 };
  const server = createServer((request, response) => {
    receiver.received++;
    request.resume().on('end', () => response.writeHead(receiver.status).end('so says the receiver'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bridge = await startLocalBridge({ speed });
  const client = createClient({ url: bridge.apiUrl, key: ADMIN_KEY });

  /** Sets a job of the simulated upstream up. */
  return {
    bridge,
    client,
    receiver,
    receiverUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    setJob: bridge.setJob,
    stop: async () => {
      await bridge.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export type ConsoleWorld = Awaited<ReturnType<typeof startConsoleWorld>>;

/** Opens a page of the console, signed in unless `key` is null. What the browser complains about is collected. */
export async function openPage(
  browser: Browser,
  { bridge }: Pick<ConsoleWorld, 'bridge'>,
  path: string,
  { key = ADMIN_KEY, ...options }: BrowserContextOptions & { key?: string | null } = {},
): Promise<{ page: Page; complaints: string[]; requested: string[] }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  const requested: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      complaints.push(`${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => requested.push(request.url()));
  if (key !== null) await page.addInitScript((given) => sessionStorage.setItem('bridge-key', given), key);
  await page.goto(`${bridge.apiUrl}/console${path}`);
  return { page, complaints, requested };
}
