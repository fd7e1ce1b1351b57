import { S3Error } from './errors.ts';
import type { Bucket, ObjectStore, StoredObject } from './object-store.ts';
import type { S3Request } from './request.ts';
import type { Signer } from './signature.ts';

/** An authenticated request with what an operation needs to carry it out. */
export type Call = {
  request: S3Request;
  signer: Signer;
  store: ObjectStore;
  /** Of every part but the last. */
  minPartBytes: number;
  /** Whether a conditional completion of an upload meets another write of its key. */
  conflicts: () => boolean;
  /** ms since epoch */
  now: () => number;
};

/** The answer of an operation; 200 unless it says otherwise. */
export type Reply = {
  status?: number;
  headers?: Record<string, string | number | undefined>;
  /** A document, or the bytes of an object. */
  body?: string | AsyncIterable<Buffer>;
};

export type Operation = (call: Call) => Reply | Promise<Reply>;

/** The bucket of a request. @throws S3Error NoSuchBucket */
export function findBucket({ request, store }: Call): Bucket {
  const bucket = store.bucket(request.bucket);
  if (!bucket) {
    throw new S3Error('NoSuchBucket', 'The specified bucket does not exist', { BucketName: request.bucket });
  }
  return bucket;
}

/** The object of a request. @throws S3Error NoSuchBucket, NoSuchKey */
export function findObject(call: Call): StoredObject {
  const object = findBucket(call).objects.get(call.request.key);
  if (!object) throw new S3Error('NoSuchKey', 'The specified key does not exist.', { Key: call.request.key });
  return object;
}

/** A whole number from the query, capped at `max`. @throws S3Error InvalidArgument */
export function countParam(request: S3Request, name: string, max: number, fallback = max): number {
  const value = request.param(name);
  if (value === undefined) return fallback;
  if (!/^\d{1,10}$/.test(value)) {
    throw new S3Error('InvalidArgument', `Provided ${name} not an integer or within integer range`);
  }
  return Math.min(Number(value), max);
}

/** The key of a request, for a new object. @throws S3Error KeyTooLongError */
export function newKey({ request }: Call): string {
  if (Buffer.byteLength(request.key) > 1024) throw new S3Error('KeyTooLongError', 'Your key is too long');
  return request.key;
}

/** What refuses a body that is not the XML it should be. */
export function malformedXml(): S3Error {
  return new S3Error(
    'MalformedXML',
    'The XML you provided was not well-formed or did not validate against our published schema',
  );
}

/** The repeated elements of a parsed document, each with content of its own. @throws S3Error MalformedXML */
export function asList(value: unknown): Record<string, unknown>[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'object' && item !== null)) {
    throw malformedXml();
  }
  return value;
}

/** The ETag that a client names, with or without quotes. */
export function unquote(etag: string): string {
  return etag.trim().replace(/^"(.*)"$/, '$1');
}

/** ms as S3 writes times in XML. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
