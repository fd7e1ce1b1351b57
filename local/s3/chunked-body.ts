import { createHash } from 'node:crypto';
import { S3Error } from './errors.ts';
import { type Signer, sameText, sign } from './signature.ts';

/** Decoding of `aws-chunked` bodies: chunks that may be signed, then trailers that may be signed. */

const MIN_CHUNK_BYTES = 8192;
const MAX_LINE_BYTES = 4096;
const EMPTY_SHA256 = createHash('sha256').digest('hex');

/**
 * Yields the data of an aws-chunked body as it arrives and fills `trailers` (names in lower case). Chunk
 * signatures are checked when their chunk ends, so what is yielded counts only once the generator has ended.
 * @throws S3Error SignatureDoesNotMatch, IncompleteBody, InvalidChunkSizeError, MalformedTrailerError
 */
export async function* decodeChunks(
  source: AsyncIterator<Buffer>,
  signer: Signer,
  trailers: Map<string, string>,
): AsyncGenerator<Buffer> {
  const bytes = new ByteReader(source);
  const signatures = signer.payload.startsWith('STREAMING-AWS4-HMAC')
    ? new SignatureChain(signer.seed)
    : undefined;
  let previousSize = MIN_CHUNK_BYTES;
  for (;;) {
    const { size, signature } = parseChunkHeader(await bytes.line());
    if (size > 0 && previousSize < MIN_CHUNK_BYTES) {
      throw new S3Error(
        'InvalidChunkSizeError',
        'Only the last chunk is allowed to have a size less than 8192 bytes',
      );
    }
    const hash = signatures && createHash('sha256');
    for (let left = size; left > 0; ) {
      const piece = await bytes.some(left);
      left -= piece.length;
      hash?.update(piece);
      yield piece;
    }
    if (hash) signatures?.checkChunk(hash.digest('hex'), signature);
    if (size === 0) break;
    if ((await bytes.line()) !== '')
      throw new S3Error('InvalidRequest', 'A chunk is longer than its header says.');
    previousSize = size;
  }
  await readTrailers(bytes, trailers);
  const signature = trailers.get('x-amz-trailer-signature');
  trailers.delete('x-amz-trailer-signature');
  if (signer.payload.endsWith('-TRAILER')) signatures?.checkTrailers(trailers, signature);
  else if (trailers.size > 0)
    throw new S3Error('MalformedTrailerError', 'The body has trailers it did not announce.');
}

function parseChunkHeader(line: string): { size: number; signature: string } {
  const [, size, signature = ''] = /^([0-9a-f]{1,10})(?:;chunk-signature=([0-9a-f]{64}))?$/i.exec(line) ?? [];
  if (size === undefined)
    throw new S3Error('InvalidRequest', 'The aws-chunked body has a malformed chunk header.');
  return { size: Number.parseInt(size, 16), signature };
}

async function readTrailers(bytes: ByteReader, trailers: Map<string, string>): Promise<void> {
  for (let line = await bytes.line(); line !== ''; line = await bytes.line()) {
    const colon = line.indexOf(':');
    if (colon < 1)
      throw new S3Error(
        'MalformedTrailerError',
        'The request contained trailing data that was not well-formed',
      );
    trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
}

/** Every signature covers the one before it, the first of them that of the request. */
class SignatureChain {
  #previous: string;
  readonly #seed: Signer['seed'];

  constructor(seed: Signer['seed']) {
    this.#seed = seed;
    this.#previous = seed.signature;
  }

  checkChunk(contentHash: string, signature: string): void {
    this.#check('AWS4-HMAC-SHA256-PAYLOAD', [EMPTY_SHA256, contentHash], signature);
  }

  checkTrailers(trailers: Map<string, string>, signature = ''): void {
    const canonical = [...trailers].map(([name, value]) => `${name}:${value}\n`).join('');
    this.#check(
      'AWS4-HMAC-SHA256-TRAILER',
      [createHash('sha256').update(canonical).digest('hex')],
      signature,
    );
  }

  #check(algorithm: string, hashes: string[], signature: string): void {
    const { date, scope, key } = this.#seed;
    const expected = sign(key, [algorithm, date, scope, this.#previous, ...hashes].join('\n'));
    if (!sameText(expected, signature)) {
      throw new S3Error(
        'SignatureDoesNotMatch',
        'The signature of a chunk or trailer does not match its content.',
      );
    }
    this.#previous = expected;
  }
}

/** Reads lines and runs of bytes off a source of buffers, holding no more than one of them. */
class ByteReader {
  #buffer: Buffer = Buffer.alloc(0);
  readonly #source: AsyncIterator<Buffer>;

  constructor(source: AsyncIterator<Buffer>) {
    this.#source = source;
  }

  /** At least one byte and at most `limit`. */
  async some(limit: number): Promise<Buffer> {
    if (this.#buffer.length === 0) this.#buffer = await this.#next();
    const piece = this.#buffer.subarray(0, limit);
    this.#buffer = this.#buffer.subarray(piece.length);
    return piece;
  }

  /** Up to the next CRLF, without it. */
  async line(): Promise<string> {
    let end = this.#buffer.indexOf('\r\n');
    while (end < 0) {
      if (this.#buffer.length > MAX_LINE_BYTES)
        throw new S3Error('InvalidRequest', 'A line of the body is too long.');
      this.#buffer = Buffer.concat([this.#buffer, await this.#next()]);
      end = this.#buffer.indexOf('\r\n');
    }
    const line = this.#buffer.toString('latin1', 0, end);
    this.#buffer = this.#buffer.subarray(end + 2);
    return line;
  }

  async #next(): Promise<Buffer> {
    const { value, done } = await this.#source.next();
    if (done) throw new S3Error('IncompleteBody', 'The request body terminated unexpectedly');
    return value;
  }
}
