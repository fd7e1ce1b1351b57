import { readAttributes } from './attributes.ts';
import { receive, receiveText, statedChecksum } from './body.ts';
import { type Checksum, type ChecksumType, checksumHeader } from './checksum.ts';
import { checkWrite, isUnchanged } from './conditions.ts';
import { S3Error } from './errors.ts';
import type { StoredObject } from './object-store.ts';
import { asList, type Call, findBucket, findObject, malformedXml, newKey, type Reply } from './operation.ts';
import type { S3Request } from './request.ts';
import { element, group, parseXml, xmlDocument } from './xml.ts';

export function putObject(call: Call): Promise<Reply> {
  const { request, signer, store, now } = call;
  const bucket = findBucket(call);
  const key = newKey(call);
  const attributes = readAttributes(request);
  const stated = statedChecksum(request);
  checkWrite(request, bucket.objects.get(key));
  return store.writeBlob(
    (write) => receive(request, signer, stated, write),
    (blob, { size, md5, checksum }) => {
      // Again, for the body took its time.
      checkWrite(request, bucket.objects.get(key));
      const object: StoredObject = {
        ...attributes,
        key,
        etag: md5,
        size,
        lastModified: now(),
        blobs: [blob],
        ...(checksum && { checksum, checksumType: 'FULL_OBJECT' }),
      };
      store.putObject(bucket, object);
      return { headers: { etag: `"${object.etag}"`, ...checksumHeaders(object) } };
    },
  );
}

/** GetObject and HeadObject, which differ in the body alone. */
export function getObject(call: Call): Reply {
  const { request, store } = call;
  const object = findObject(call);
  const validators = {
    etag: `"${object.etag}"`,
    'last-modified': new Date(object.lastModified).toUTCString(),
  };
  if (isUnchanged(request, object)) return { status: 304, headers: validators };

  const range = readRange(request.header('range'), object.size);
  const { from, to } = range ?? { from: 0, to: object.size - 1 };
  const tagCount = Object.keys(object.tags).length;
  const headers: Reply['headers'] = {
    ...object.headers,
    ...Object.fromEntries(
      Object.entries(object.metadata).map(([name, value]) => [`x-amz-meta-${name}`, value]),
    ),
    ...validators,
    'accept-ranges': 'bytes',
    'content-length': to - from + 1,
    'x-amz-tagging-count': tagCount > 0 ? tagCount : undefined,
    ...overrides(request),
  };
  if (range) headers['content-range'] = `bytes ${from}-${to}/${object.size}`;
  else if (request.header('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED') {
    Object.assign(headers, checksumHeaders(object));
  }
  const body = request.method === 'HEAD' ? undefined : store.read(object, from, to);
  return { status: range ? 206 : 200, headers, body };
}

export function deleteObject(call: Call): Reply {
  call.store.deleteObject(findBucket(call), call.request.key);
  return { status: 204 };
}

export async function deleteObjects(call: Call): Promise<Reply> {
  const { request, signer, store } = call;
  const bucket = findBucket(call);
  const stated = statedChecksum(request);
  if (request.header('content-md5') === undefined && stated === undefined) {
    throw new S3Error(
      'InvalidRequest',
      'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
    );
  }
  const text = await receiveText(request, signer, stated);
  const content = parseXml(text, 'Delete');
  const keys = asList(content?.Object).map(({ Key }) => Key);
  if (keys.length > 1000 || !keys.every((key) => typeof key === 'string')) throw malformedXml();
  for (const key of keys) store.deleteObject(bucket, key);
  const reported = content?.Quiet === 'true' ? [] : keys;
  return {
    body: xmlDocument('DeleteResult', ...reported.map((key) => group('Deleted', element('Key', key)))),
  };
}

/** `x-amz-checksum-*` and the checksum's type, of an object that has one. */
export function checksumHeaders(object: {
  checksum?: Checksum;
  checksumType?: ChecksumType;
}): Record<string, string> {
  if (!object.checksum) return {};
  const headers: Record<string, string> = {
    [checksumHeader(object.checksum.algorithm)]: object.checksum.value,
  };
  if (object.checksumType) headers['x-amz-checksum-type'] = object.checksumType;
  return headers;
}

/** Query parameters that set headers of the answer. */
export const RESPONSE_OVERRIDES = [
  'response-cache-control',
  'response-content-disposition',
  'response-content-encoding',
  'response-content-language',
  'response-content-type',
  'response-expires',
];

function overrides(request: S3Request): Record<string, string> {
  const found = request.query.filter(([name]) => RESPONSE_OVERRIDES.includes(name));
  return Object.fromEntries(found.map(([name, value]) => [name.slice('response-'.length), value]));
}

/**
 * A single range as inclusive offsets; undefined for none, or for what HTTP says to ignore.
 * @throws S3Error InvalidRange
 */
function readRange(header: string | undefined, size: number): { from: number; to: number } | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  const from = first === '' ? Math.max(size - Number(last), 0) : Number(first);
  const to = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (from >= size) {
    throw new S3Error('InvalidRange', 'The requested range is not satisfiable', {
      RangeRequested: header!,
      ActualObjectSize: size,
    });
  }
  return { from, to };
}
