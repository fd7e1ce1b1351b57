import { S3Error } from './errors.ts';
import type { ObjectAttributes } from './object-store.ts';
import type { S3Request } from './request.ts';

/** What a client says of an object when it creates it: headers, metadata and tags. */

const KEPT_HEADERS = ['cache-control', 'content-disposition', 'content-language', 'expires'];
const META = 'x-amz-meta-';
const MAX_METADATA_BYTES = 2048;

/** @throws S3Error MetadataTooLarge, InvalidTag */
export function readAttributes(request: S3Request): ObjectAttributes {
  const headers: Record<string, string> = {
    'content-type': request.header('content-type') ?? 'binary/octet-stream',
  };
  for (const name of KEPT_HEADERS) {
    const value = request.header(name);
    if (value !== undefined) headers[name] = value;
  }
  const encoding = (request.header('content-encoding') ?? '')
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'aws-chunked')
    .join(',');
  if (encoding !== '') headers['content-encoding'] = encoding;
  return { headers, metadata: readMetadata(request), tags: readTaggingHeader(request) };
}

function readMetadata(request: S3Request): Record<string, string> {
  const sent = [...request.query, ...Object.entries(request.message.headers)];
  const metadata: Record<string, string> = {};
  for (const [name, value] of sent) {
    const lower = name.toLowerCase();
    if (lower.startsWith(META)) metadata[lower.slice(META.length)] = String(value);
  }
  const bytes = Object.entries(metadata).reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0);
  if (bytes > MAX_METADATA_BYTES) {
    throw new S3Error('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size', {
      Size: bytes,
      MaxSizeAllowed: MAX_METADATA_BYTES,
    });
  }
  return metadata;
}

function readTaggingHeader(request: S3Request): Record<string, string> {
  return checkTags([...new URLSearchParams(request.header('x-amz-tagging') ?? '')]);
}

/** Tags from their pairs, within S3's limits. @throws S3Error InvalidTag */
export function checkTags(pairs: (readonly [key: string, value: string])[]): Record<string, string> {
  const valid = pairs.every(([key, value]) => key.length >= 1 && key.length <= 128 && value.length <= 256);
  const tags = Object.fromEntries(pairs);
  if (!valid || pairs.length > 10 || Object.keys(tags).length !== pairs.length) {
    throw new S3Error(
      'InvalidTag',
      'An object has at most 10 tags, with distinct keys of 1 to 128 and values of at most 256 characters',
    );
  }
  return tags;
}
