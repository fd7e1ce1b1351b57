import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { crc32FromBase64 } from '../../domain/copying/crc32.ts';
import { SinkTrouble, sinkTrouble } from './bucket-error.ts';

/** A signed PUT of one part. */
export type SignedPut = { readonly url: string; readonly headers: Readonly<Record<string, string>> };

/** The CRC-32 that S3 says it computed of a part. */
export type StoredChecksum = number | undefined;

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
  const encrypted = new https.Agent({
    ...options,
    ca,
    rejectUnauthorized: true,
    ALPNProtocols: ['http/1.1'],
  });
  const plain = new http.Agent(options);

  /** Sends a part that is in memory. Rejects with {@link SinkTrouble}; the body must not change until then. */
  const send = (put: SignedPut, body: Uint8Array, signal: AbortSignal): Promise<StoredChecksum> =>
    sendPieces(put, body.length, [body], signal);

  /**
   * Sends a part of `length` bytes piece by piece: the next piece is asked for when the last one may
   * be overwritten. Resolves to the checksum that S3 computed, if it says it; rejects with what the
   * pieces threw, or a {@link SinkTrouble}.
   */
  async function sendPieces(
    put: SignedPut,
    length: number,
    pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<StoredChecksum> {
    const url = new URL(put.url);
    const client = url.protocol === 'http:' ? http : https;
    const request = client.request(url, {
      method: 'PUT',
      headers: { ...put.headers, 'content-length': length },
      agent: client === https ? encrypted : plain,
      timeout: stallMs,
      signal,
    });
    const { promise, resolve, reject } = Promise.withResolvers<StoredChecksum>();
    let over = false;
    const fail = (error: NodeJS.ErrnoException) =>
      reject(
        error instanceof SinkTrouble ? error : new SinkTrouble('busy', `by ${error.code ?? error.name}`),
      );
    request.on('response', (response) => {
      over = true;
      readAnswer(response).then(resolve, fail);
      // An answer before the end of the body is a refusal: the rest is of no use.
      if (!request.writableEnded) response.once('close', () => request.destroy());
    });
    request.on('timeout', () => request.destroy(new SinkTrouble('busy', `nothing for ${stallMs} ms`)));
    request.on('error', (error) => {
      over = true;
      fail(error);
    });
    writeAll(request, pieces, () => over).catch((error: unknown) => {
      reject(error);
      request.destroy();
    });
    return promise;
  }

  function close(): void {
    encrypted.destroy();
    plain.destroy();
  }

  return { send, sendPieces, close };
}

/** Writes slice by slice, as fast as they are taken, until all is written or the exchange is over. */
async function writeAll(
  request: http.ClientRequest,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  isOver: () => boolean,
): Promise<void> {
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; at += SLICE_BYTES) {
      if (isOver()) return;
      await written(request, piece.subarray(at, at + SLICE_BYTES), at + SLICE_BYTES >= piece.length);
    }
  }
  request.end();
}

/**
 * Waits until more can be written, or all has left the buffer; an answer ends the wait too, since
 * after it nothing may ever drain.
 */
function written(request: http.ClientRequest, slice: Uint8Array, isLast: boolean): Promise<void> | undefined {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = () => {
    request.off('drain', done).off('response', done).off('close', done);
    resolve();
  };
  const more = request.write(slice, isLast ? done : undefined);
  if (more && !isLast) return undefined;
  request.on('response', done).on('close', done);
  if (!isLast) request.on('drain', done);
  return promise;
}

async function readAnswer(response: IncomingMessage): Promise<StoredChecksum> {
  const status = response.statusCode ?? 0;
  let body = '';
  for await (const chunk of response) {
    if (body.length < MAX_ERROR_BYTES) body += chunk;
  }
  const { etag, 'x-amz-checksum-crc32': crc } = response.headers;
  if (status === 200 && etag !== undefined) return typeof crc === 'string' ? crc32FromBase64(crc) : undefined;
  throw sinkTrouble(/<Code>([\w.]+)<\/Code>/.exec(body)?.[1] ?? '', status);
}
