import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';

/** What is known of an answer that Node's parser refuses. */
type RawAnswer = { readonly statusCode: number; readonly body: Buffer };

/** How many of the first bytes are kept: as many as Node takes for headers, those of interim answers included. */
const KEPT_BYTES = 16_384;
/** The final status line, after interim answers if any; of any version, however it is spaced. */
const STATUS_LINE = /(?:^|\n)HTTP\/\d(?:\.\d)?[ \t]{1,8}([2-5]\d\d)[ \t\r\n]/i;

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
