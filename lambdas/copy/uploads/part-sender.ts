import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { BucketError, bucketError, exchangeFailed } from './bucket-error.ts';

/** A signed PUT of one part. */
export type SignedPut = { readonly url: string; readonly headers: Readonly<Record<string, string>> };

export type PartSender = ReturnType<typeof createPartSender>;

/** More in one write and the whole part would be held encrypted too. */
const SLICE_BYTES = 256 * 1024;
const STALL_MS = 30_000;
const MAX_ERROR_BYTES = 16 * 1024;
/** Connections that have rested for longer are not used again: S3 closes them, and a frozen process does not notice. */
const MAX_IDLE_MS = 5_000;

/**
 * Sends parts over keep-alive connections, past the SDK's client, which would hash the body and open
 * a connection for each (docs/decisions/copy-http-clients.md).
 *
 * @param options.now ms since epoch
 */
export function createPartSender({
  ca,
  stallMs = STALL_MS,
  now = Date.now,
}: {
  ca?: string;
  stallMs?: number;
  now?: () => number;
} = {}) {
  const options = { keepAlive: true, maxFreeSockets: 16, scheduling: 'lifo' as const };
  const encrypted = new https.Agent({
    ...options,
    ca,
    rejectUnauthorized: true,
    ALPNProtocols: ['http/1.1'],
  });
  const plain = new http.Agent(options);
  let lastUsed = now();

  /** Sends a part that is in memory. Rejects with a {@link BucketError}; the body must not change until then. */
  async function send(put: SignedPut, body: Uint8Array, signal: AbortSignal): Promise<void> {
    const url = new URL(put.url);
    const client = url.protocol === 'http:' ? http : https;
    const agent = client === https ? encrypted : plain;
    if (now() - lastUsed > MAX_IDLE_MS) closeIdle(agent);
    lastUsed = now();
    const request = client.request(url, {
      method: 'PUT',
      headers: { ...put.headers, 'content-length': body.length },
      agent,
      timeout: stallMs,
      signal,
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let over = false;
    const fail = (error: Error) => reject(error instanceof BucketError ? error : exchangeFailed(error));
    request.on('response', (response) => {
      over = true;
      lastUsed = now();
      readAnswer(response).then(resolve, fail);
      // An answer before the end of the body is a refusal: the rest is of no use.
      if (!request.writableEnded) response.once('close', () => request.destroy());
    });
    const stalled = new BucketError('unavailable', `the bucket sent nothing for ${stallMs} ms`);
    request.on('timeout', () => request.destroy(stalled));
    request.on('error', (error) => {
      over = true;
      fail(error);
    });
    void writeAll(request, body, () => over);
    return promise;
  }

  function close(): void {
    encrypted.destroy();
    plain.destroy();
  }

  return { send, close };
}

function closeIdle({ freeSockets }: http.Agent): void {
  for (const socket of Object.values(freeSockets).flat()) socket?.destroy();
}

/** Writes slice by slice, as fast as they are taken, until all is written or the exchange is over. */
async function writeAll(request: http.ClientRequest, body: Uint8Array, isOver: () => boolean): Promise<void> {
  for (let at = 0; at < body.length; at += SLICE_BYTES) {
    if (isOver()) return;
    await drained(request, body.subarray(at, at + SLICE_BYTES));
  }
  request.end();
}

/** Writes a slice and waits until more can be written. An answer ends the wait too: nothing may drain after it. */
function drained(request: http.ClientRequest, slice: Uint8Array): Promise<void> | undefined {
  if (request.write(slice)) return undefined;
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = () => {
    request.off('drain', done).off('response', done).off('close', done);
    resolve();
  };
  request.on('drain', done).on('response', done).on('close', done);
  return promise;
}

async function readAnswer(response: IncomingMessage): Promise<void> {
  const status = response.statusCode ?? 0;
  let body = '';
  for await (const chunk of response) {
    if (body.length < MAX_ERROR_BYTES) body += chunk;
  }
  if (status === 200 && response.headers.etag !== undefined) return;
  throw bucketError(/<Code>([\w.]+)<\/Code>/.exec(body)?.[1] ?? '', status);
}
