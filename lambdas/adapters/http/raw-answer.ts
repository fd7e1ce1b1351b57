import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';

/** What is known of an answer that Node's parser refuses. */
type RawAnswer = { readonly statusCode: number; readonly body: Buffer };

/** How many of the first bytes are kept: the status line, short headers and the beginning of a body. */
const KEPT_BYTES = 2_048;
/** The final status line, after interim answers if any. */
const STATUS_LINE = /(?:^|\n)HTTP\/1\.[01] ([2-5]\d\d)[ \r\n]/;

/**
 * Watches the first bytes of the answer to a request, until Node's parser has taken its headers. Returns
 * what they say so far: nothing before a whole status line has come.
 */
export function watchRawAnswer(request: ClientRequest): () => RawAnswer | undefined {
  let bytes: Buffer = Buffer.alloc(0);
  let watched: Socket | undefined;
  const onData = (chunk: Buffer) => {
    if (bytes.length < KEPT_BYTES) bytes = Buffer.concat([bytes, chunk]).subarray(0, KEPT_BYTES);
  };
  const stop = () => watched?.off('data', onData);
  request.once('socket', (socket) => {
    watched = socket;
    // Before the parser, which ends the request at the first fault.
    socket.prependListener('data', onData);
  });
  request.once('response', stop);
  request.once('close', stop);
  return () => parse(bytes);
}

function parse(bytes: Buffer): RawAnswer | undefined {
  const text = bytes.toString('latin1');
  const line = STATUS_LINE.exec(text);
  if (!line) return undefined;
  const rest = text.slice(line.index);
  const blank = /\n\r?\n/.exec(rest);
  const body = blank ? rest.slice(blank.index + blank[0].length) : '';
  return { statusCode: Number(line[1]), body: Buffer.from(body, 'latin1') };
}
