import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { SinkTrouble, sinkTrouble } from './sink-trouble.ts';

/** A signed PUT of one part. */
export type SignedPut = { readonly url: string; readonly headers: Readonly<Record<string, string>> };

export type PartSender = ReturnType<typeof createPartSender>;

/** More in one write and the whole part would be held encrypted too. */
const SLICE_BYTES = 256 * 1024;
const STALL_MS = 30_000;
const MAX_ERROR_BYTES = 16 * 1024;

/**
 * Sends parts over keep-alive connections, past the SDK's client, which would hash the body and open
 * a connection for each (docs/decisions/copy-http-clients.md).
 */
export function createPartSender({ ca, stallMs = STALL_MS }: { ca?: string; stallMs?: number } = {}) {
  const options = { keepAlive: true, maxFreeSockets: 16, scheduling: 'lifo' as const };
  const encrypted = new https.Agent({ ...options, ca, ALPNProtocols: ['http/1.1'] });
  const plain = new http.Agent(options);

  /** Resolves to the part's ETag; rejects with {@link SinkTrouble}. The body must not change until then. */
  function send(put: SignedPut, body: Uint8Array, signal: AbortSignal): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const url = new URL(put.url);
    const client = url.protocol === 'http:' ? http : https;
    const request = client.request(url, {
      method: 'PUT',
      headers: { ...put.headers, 'content-length': body.length },
      agent: client === https ? encrypted : plain,
      timeout: stallMs,
      signal,
    });
    let answered = false;
    request.on('response', (response) => {
      answered = true;
      readAnswer(response).then(resolve, reject);
      // An answer before the end of the body is a refusal: the rest is of no use.
      if (!request.writableEnded) response.once('close', () => request.destroy());
    });
    request.on('timeout', () => request.destroy(new SinkTrouble('busy', `nothing for ${stallMs} ms`)));
    request.on('error', (error: NodeJS.ErrnoException) =>
      reject(
        error instanceof SinkTrouble ? error : new SinkTrouble('busy', `by ${error.code ?? error.name}`),
      ),
    );
    let sent = 0;
    // Driven by `drain` alone: awaiting it could hang for ever when the answer comes first.
    const pump = () => {
      while (!answered && sent < body.length) {
        const slice = body.subarray(sent, sent + SLICE_BYTES);
        sent += slice.length;
        if (sent === body.length) request.end(slice);
        else if (!request.write(slice)) return;
      }
    };
    request.on('drain', pump);
    if (body.length === 0) request.end();
    else pump();
    return promise;
  }

  function close(): void {
    encrypted.destroy();
    plain.destroy();
  }

  return { send, close };
}

async function readAnswer(response: IncomingMessage): Promise<string> {
  const status = response.statusCode ?? 0;
  let body = '';
  for await (const chunk of response) {
    if (body.length < MAX_ERROR_BYTES) body += chunk;
  }
  const { etag } = response.headers;
  if (status === 200 && etag !== undefined) return etag;
  throw sinkTrouble(/<Code>(\w+)<\/Code>/.exec(body)?.[1] ?? '', status);
}
