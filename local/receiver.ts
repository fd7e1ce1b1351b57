import { once } from 'node:events';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import * as z from 'zod';

const REMEMBERED = 1_000;

/** A webhook as it came in; `body` is parsed where it is JSON, `rawBody` is what was signed. */
export type ReceivedWebhook = {
  /** ISO 8601. */
  receivedAt: string;
  path: string;
  /** Those that begin with `webhook-`. */
  headers: Record<string, string>;
  /** Whether one of the secrets signed it, within the five minutes of Standard Webhooks. */
  verified: boolean;
  body: unknown;
  rawBody: string;
  /** What the receiver answered. */
  statusCode: number;
};

/** The body of `POST /_behave`: how to answer on a path, or on all paths for which nothing was set. */
const behaviorSchema = z.strictObject({
  path: z.string().startsWith('/').optional(),
  status: z.int().min(200).max(599).default(204),
  delayMs: z.int().nonnegative().default(0),
  /** For this many webhooks, then 204 again. */
  times: z.int().positive().default(Infinity),
  /** Seconds, or text that is sent as it stands. */
  retryAfter: z.union([z.int().nonnegative(), z.string()]).optional(),
});
type Behavior = z.output<typeof behaviorSchema>;

export type ReceiverOptions = {
  /** 0 takes any free one. */
  port?: number;
  /** The `whsec_` secrets of which any may have signed; asked for each webhook. */
  secrets: () => string[] | Promise<string[]>;
  onWebhook?: (received: ReceivedWebhook) => void;
  /** Keeps what was received, one JSON line each, across restarts. */
  logFile?: string;
  /** ms since epoch; dates what was received. */
  now?: () => number;
};

/**
 * Starts the built-in webhook receiver on loopback: it takes any POST, verifies it, and remembers the last
 * 1,000. `GET /_received?requestId=` lists them, oldest first; `POST /_behave` changes its answers.
 */
export async function startReceiver(
  options: ReceiverOptions,
): Promise<{ url: string; close(): Promise<void> }> {
  const { port = 0, secrets, onWebhook, now = Date.now } = options;
  const { logFile } = options;
  const received = logFile ? readLog(logFile).slice(-REMEMBERED) : [];
  const behaviors = new Map<string | undefined, Behavior>();
  const closing = new AbortController();

  const server = createServer(async (request, response) => {
    try {
      await answer(request, response);
    } catch (error) {
      if (!response.destroyed) json(response, 500, { message: String(error) });
    }
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = new URL(request.url ?? '/', url);
    const call = `${request.method} ${target.pathname}`;
    if (call === 'GET /_received') list(target.searchParams.get('requestId'), response);
    else if (call === 'POST /_behave') behave(await text(request), response);
    else if (request.method === 'POST') await receive(request, response);
    else json(response, 404, { message: `${call} is not a call of the receiver.` });
  }

  function list(requestId: string | null, response: ServerResponse): void {
    const items = received.filter(({ body }) => requestId === null || requestIdOf(body) === requestId);
    json(response, 200, { items });
  }

  function behave(body: string, response: ServerResponse): void {
    const { success, data, error } = behaviorSchema.safeParse(parsed(body));
    if (success) behaviors.set(data.path, data);
    json(response, success ? 200 : 400, success ? {} : { message: z.prettifyError(error) });
  }

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const rawBody = await text(request);
    const path = request.url ?? '/';
    const behavior = takeBehavior(new URL(path, url).pathname);
    const headers = webhookHeaders(request);
    const webhook: ReceivedWebhook = {
      receivedAt: new Date(now()).toISOString(),
      path,
      headers,
      verified: isSigned(rawBody, headers, await secrets()),
      body: parsed(rawBody),
      rawBody,
      statusCode: behavior?.status ?? 204,
    };
    received.push(webhook);
    if (logFile) appendFileSync(logFile, `${JSON.stringify(webhook)}\n`);
    if (received.length > REMEMBERED) received.shift();
    onWebhook?.(webhook);
    if (behavior?.delayMs) await sleep(behavior.delayMs, undefined, { signal: closing.signal });
    if (behavior?.retryAfter !== undefined) response.setHeader('retry-after', behavior.retryAfter);
    response.writeHead(webhook.statusCode).end();
  }

  function takeBehavior(pathname: string): Behavior | undefined {
    const behavior = behaviors.get(pathname) ?? behaviors.get(undefined);
    if (behavior) {
      behavior.times -= 1;
      if (behavior.times === 0) behaviors.delete(behavior.path);
    }
    return behavior;
  }

  return {
    url,
    async close() {
      closing.abort();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** Skips lines that are not JSON: a process was killed while it wrote them. */
function readLog(file: string): ReceivedWebhook[] {
  if (!existsSync(file)) return [];
  const entries = readFileSync(file, 'utf8').split('\n').map(parsed);
  return entries.filter((entry) => typeof entry === 'object') as ReceivedWebhook[];
}

function webhookHeaders(request: IncomingMessage): Record<string, string> {
  const entries = Object.entries(request.headers).filter(([name]) => name.startsWith('webhook-'));
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

function isSigned(rawBody: string, headers: Record<string, string>, secrets: string[]): boolean {
  return secrets.some((secret) => {
    try {
      new Webhook(secret).verify(rawBody, headers, { jsonParse: false });
      return true;
    } catch {
      return false;
    }
  });
}

function requestIdOf(body: unknown): unknown {
  return (body as { data?: { requestId?: unknown } } | null)?.data?.requestId;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

function json(response: ServerResponse, status: number, content: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content));
}
