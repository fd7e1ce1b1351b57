import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGzip } from 'node:zlib';

/** What the server says and how it ends. Without a `status` not even headers are sent. */
export type Answer = {
  status?: number;
  headers?: Record<string, string>;
  body?: Iterable<Uint8Array>;
  gzip?: boolean;
  bytesPerSecond?: number | undefined;
  /** `open` leaves the client waiting, `cut` closes early, `reset` sends a TCP reset. */
  ending?: 'open' | 'cut' | 'reset';
};

export const hang: Answer = { ending: 'open' };
export const reset: Answer = { ending: 'reset' };

export function json(status: number, content: unknown, headers: Record<string, string> = {}): Answer {
  return text(status, JSON.stringify(content), 'application/json', headers);
}

export function html(status: number, content: string): Answer {
  return text(status, `<!doctype html><html><body><h1>${content}</h1></body></html>\n`, 'text/html');
}

/** An error as S3 and R2 word it. */
export function xmlError(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Answer {
  const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  return text(status, xml, 'application/xml', headers);
}

/** The header that a fault's `retryAfter` asks for. */
export function retryAfter(value: number | string | undefined): Record<string, string> {
  return value === undefined ? {} : { 'retry-after': String(value) };
}

function text(status: number, content: string, type: string, headers: Record<string, string> = {}): Answer {
  const body = Buffer.from(content);
  return {
    status,
    headers: { 'content-type': type, 'content-length': String(body.length), ...headers },
    body: [body],
  };
}

/** Sends an answer, as fast as the client reads. A client that leaves is no error. */
export async function send(response: ServerResponse, answer: Answer): Promise<void> {
  const { status, headers, body = [], gzip, bytesPerSecond, ending } = answer;
  try {
    if (status !== undefined) {
      response.writeHead(status, headers);
      if (ending) response.flushHeaders();
      const slices = bytesPerSecond === undefined ? body : dripped(body, bytesPerSecond);
      const source = Readable.from(slices, { objectMode: true, highWaterMark: 4 });
      if (gzip) await pipeline(source, createGzip(), response, { end: false });
      else await pipeline(source, response, { end: false });
    }
  } catch (error) {
    if (response.destroyed || response.socket?.destroyed) return;
    throw error;
  }
  if (ending === 'cut') response.socket?.destroySoon();
  else if (ending === 'reset') response.socket?.resetAndDestroy();
  else if (ending !== 'open') response.end();
}

async function* dripped(body: Iterable<Uint8Array>, bytesPerSecond: number): AsyncIterable<Uint8Array> {
  const step = Math.max(1, Math.floor(bytesPerSecond / 10));
  for (const slice of body) {
    for (let offset = 0; offset < slice.length; offset += step) {
      const piece = slice.subarray(offset, offset + step);
      yield piece;
      await sleep((piece.length * 1000) / bytesPerSecond, undefined, { ref: false });
    }
  }
}
