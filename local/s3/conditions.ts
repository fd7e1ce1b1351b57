import { S3Error } from './errors.ts';
import type { StoredObject } from './object-store.ts';
import { unquote } from './operation.ts';
import type { S3Request } from './request.ts';

/** Conditional requests (RFC 9110, and S3's conditional writes). */

/** @throws S3Error PreconditionFailed, NoSuchKey when what is stored forbids the write */
export function checkWrite(request: S3Request, existing: StoredObject | undefined): void {
  const ifNoneMatch = request.header('if-none-match');
  const ifMatch = request.header('if-match');
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') {
    throw new S3Error('NotImplemented', 'A write takes no If-None-Match but *', { Header: 'If-None-Match' });
  }
  if (ifNoneMatch === '*' && existing) throw preconditionFailed('If-None-Match');
  if (ifMatch === undefined) return;
  if (!existing) throw new S3Error('NoSuchKey', 'The specified key does not exist.', { Key: request.key });
  if (unquote(ifMatch) !== existing.etag) throw preconditionFailed('If-Match');
}

/** Whether a reader has the object already (304). @throws S3Error PreconditionFailed */
export function isUnchanged(request: S3Request, object: StoredObject): boolean {
  const ifMatch = request.header('if-match');
  const ifNoneMatch = request.header('if-none-match');
  const unmodifiedSince = request.header('if-unmodified-since');
  const modifiedSince = request.header('if-modified-since');
  const seconds = Math.floor(object.lastModified / 1000);
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, object)) throw preconditionFailed('If-Match');
  } else if (unmodifiedSince !== undefined && seconds * 1000 > Date.parse(unmodifiedSince)) {
    throw preconditionFailed('If-Unmodified-Since');
  }
  if (ifNoneMatch !== undefined) return matches(ifNoneMatch, object);
  return modifiedSince !== undefined && seconds * 1000 <= Date.parse(modifiedSince);
}

function matches(header: string, object: StoredObject): boolean {
  return header === '*' || header.split(',').some((etag) => unquote(etag) === object.etag);
}

function preconditionFailed(condition: string): S3Error {
  return new S3Error('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', {
    Condition: condition,
  });
}
