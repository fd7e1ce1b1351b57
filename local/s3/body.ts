import { createHash } from 'node:crypto';
import {
  ALGORITHMS,
  type Algorithm,
  type Checksum,
  checksumHeader,
  isWellFormed,
  startDigest,
} from './checksum.ts';
import { decodeChunks } from './chunked-body.ts';
import { S3Error } from './errors.ts';
import type { S3Request } from './request.ts';
import type { Signer } from './signature.ts';

/** Receiving request bodies: decoded, handed on in batches, and checked against all that the client said. */

const BATCH_BYTES = 1024 * 1024;
const MAX_XML_BYTES = 4 * 1024 * 1024;
const MAX_BODY_BYTES = 5 * 1024 ** 3;
const PAYLOADS =
  /^(UNSIGNED-PAYLOAD|STREAMING-(UNSIGNED-PAYLOAD-TRAILER|AWS4-HMAC-SHA256-PAYLOAD(-TRAILER)?)|[0-9a-f]{64})$/;

/** What a body turned out to be; `checksum` is the one the client gave, or of the algorithm asked for. */
type Received = {
  size: number;
  /** Hex; the ETag of an object or part. */
  md5: string;
  checksum?: Checksum;
};

/** A checksum to compute of a body, and where the client states it; `nowhere` when it is not compared. */
export type ExpectedChecksum = {
  algorithm: Algorithm;
  stated: 'header' | 'trailer' | 'nowhere';
};

/**
 * Takes in a body and verifies its length, SHA-256, MD5, checksum and chunk signatures. `write` gets batches
 * of about 1 MiB, the next one while the last is still being written; keep nothing when this throws.
 * @throws S3Error BadDigest, XAmzContentSHA256Mismatch, IncompleteBody and others
 */
export async function receive(
  request: S3Request,
  signer: Signer,
  expected: ExpectedChecksum | undefined,
  write: (batch: Buffer[]) => Promise<unknown>,
): Promise<Received> {
  const contentMd5 = declaredMd5(request);
  const expectedSize = declaredSize(request, signer);
  const trailers = new Map<string, string>();

  const md5 = createHash('md5');
  const sha256 = /^[0-9a-f]{64}$/.test(signer.payload) ? createHash('sha256') : undefined;
  const digest = expected && startDigest(expected.algorithm);

  let size = 0;
  let batch: Buffer[] = [];
  let batched = 0;
  let writing: Promise<unknown> = Promise.resolve();
  for await (const chunk of openBody(request, signer, trailers)) {
    md5.update(chunk);
    sha256?.update(chunk);
    digest?.update(chunk);
    size += chunk.length;
    batch.push(chunk);
    batched += chunk.length;
    if (batched >= BATCH_BYTES) {
      await writing;
      writing = write(batch);
      writing.catch(() => {}); // awaited below, or a moment later than it fails
      batch = [];
      batched = 0;
    }
  }
  await writing;
  if (batched > 0) await write(batch);

  if (size !== expectedSize) {
    throw new S3Error(
      'IncompleteBody',
      'You did not provide the number of bytes specified by the Content-Length HTTP header',
    );
  }
  if (sha256 && sha256.digest('hex') !== signer.payload) {
    throw new S3Error(
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  }
  const md5Digest = md5.digest();
  if (contentMd5 !== undefined && contentMd5 !== md5Digest.toString('base64')) {
    throw new S3Error('BadDigest', 'The Content-MD5 you specified did not match what we received.');
  }
  const received: Received = { size, md5: md5Digest.toString('hex') };
  if (expected && digest) {
    const value = Buffer.from(await digest.digest()).toString('base64');
    received.checksum = { algorithm: expected.algorithm, value };
    checkChecksum(request, trailers, expected, value);
  }
  return received;
}

/** A small body as text. @throws S3Error as {@link receive}, MalformedXML when it is too large */
export async function receiveText(
  request: S3Request,
  signer: Signer,
  expected: ExpectedChecksum | undefined,
): Promise<string> {
  const batches: Buffer[] = [];
  let size = 0;
  await receive(request, signer, expected, async (batch) => {
    size += batch.reduce((sum, chunk) => sum + chunk.length, 0);
    if (size > MAX_XML_BYTES) throw new S3Error('MalformedXML', 'The XML you provided is too large.');
    batches.push(...batch);
  });
  return Buffer.concat(batches).toString('utf8');
}

/**
 * The checksum that a request states of its body, in a header or by announcing a trailer.
 * @throws S3Error InvalidRequest when it states several, or none of the algorithm it names
 */
export function statedChecksum(request: S3Request): ExpectedChecksum | undefined {
  const trailer = request.header('x-amz-trailer')?.toLowerCase();
  const found: ExpectedChecksum[] = [];
  for (const algorithm of ALGORITHMS) {
    if (request.header(checksumHeader(algorithm)) !== undefined) found.push({ algorithm, stated: 'header' });
    if (trailer === checksumHeader(algorithm)) found.push({ algorithm, stated: 'trailer' });
  }
  if (found.length > 1) {
    throw new S3Error(
      'InvalidRequest',
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    );
  }
  if (trailer !== undefined && found.length === 0) {
    throw new S3Error('InvalidRequest', 'The value specified in the x-amz-trailer header is not supported');
  }
  const named = request.header('x-amz-sdk-checksum-algorithm')?.toUpperCase();
  if (named !== undefined && found[0]?.algorithm !== named) {
    throw new S3Error(
      'InvalidRequest',
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    );
  }
  return found[0];
}

function checkChecksum(
  request: S3Request,
  trailers: Map<string, string>,
  { algorithm, stated }: ExpectedChecksum,
  computed: string,
): void {
  if (stated === 'nowhere') return;
  const name = checksumHeader(algorithm);
  const value = stated === 'header' ? request.header(name) : trailers.get(name);
  if (value === undefined) {
    throw new S3Error('MalformedTrailerError', `The trailer ${name} was announced but not sent.`);
  }
  if (!isWellFormed({ algorithm, value })) {
    throw new S3Error('InvalidRequest', `Value for ${name} header is invalid.`);
  }
  if (value !== computed) {
    throw new S3Error('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`);
  }
}

function declaredMd5(request: S3Request): string | undefined {
  const value = request.header('content-md5');
  if (value !== undefined && Buffer.from(value, 'base64').length !== 16) {
    throw new S3Error('InvalidDigest', 'The Content-MD5 you specified is not valid.');
  }
  return value;
}

/** Bytes of data, after decoding. */
function declaredSize(request: S3Request, signer: Signer): number {
  if (!PAYLOADS.test(signer.payload)) {
    throw new S3Error(
      'InvalidArgument',
      'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, or a valid sha256 value.',
    );
  }
  const declared = request.header(isChunked(signer) ? 'x-amz-decoded-content-length' : 'content-length');
  if (declared === undefined || !/^\d+$/.test(declared)) {
    throw new S3Error('MissingContentLength', 'You must provide the Content-Length HTTP header.');
  }
  if (Number(declared) > MAX_BODY_BYTES) {
    throw new S3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size');
  }
  return Number(declared);
}

function isChunked(signer: Signer): boolean {
  return signer.payload.startsWith('STREAMING-');
}

function openBody(request: S3Request, signer: Signer, trailers: Map<string, string>): AsyncIterable<Buffer> {
  // A refused body must not take the connection with it: the answer still has to go out.
  const raw = request.message.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>;
  return isChunked(signer) ? decodeChunks(raw, signer, trailers) : raw;
}
