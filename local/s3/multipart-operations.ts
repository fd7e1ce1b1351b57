import { randomUUID } from 'node:crypto';
import { readAttributes } from './attributes.ts';
import { type ExpectedChecksum, receive, statedChecksum } from './body.ts';
import { keyEncoder, sortKeys } from './bucket-operations.ts';
import { type Checksum, combines, isAlgorithm } from './checksum.ts';
import { S3Error } from './errors.ts';
import { checksumHeaders } from './object-operations.ts';
import type { OpenUpload, Part } from './object-store.ts';
import { type Call, countParam, findBucket, isoTime, newKey, type Reply } from './operation.ts';
import type { S3Request } from './request.ts';
import { element, group, xmlDocument } from './xml.ts';

const MAX_PARTS = 10_000;

export function createMultipartUpload(call: Call): Reply {
  const { request, store, now } = call;
  const bucket = findBucket(call);
  const checksum = readUploadChecksum(request);
  const upload = {
    ...readAttributes(request),
    id: randomUUID(),
    key: newKey(call),
    initiated: now(),
    ...(checksum && { checksum }),
  };
  store.createUpload(bucket, upload);
  return {
    headers: checksum && {
      'x-amz-checksum-algorithm': checksum.algorithm,
      'x-amz-checksum-type': checksum.type,
    },
    body: xmlDocument(
      'InitiateMultipartUploadResult',
      element('Bucket', bucket.name),
      element('Key', request.key),
      element('UploadId', upload.id),
    ),
  };
}

export function uploadPart(call: Call): Promise<Reply> {
  const { request, signer, store, now } = call;
  const bucket = findBucket(call);
  const number = readPartNumber(request.param('partNumber'));
  const expected = partChecksum(request, findUpload(call));
  return store.writeBlob(
    (write) => receive(request, signer, expected, write),
    (blob, received) => {
      // Read again: it may have been completed or aborted while the body came in.
      const upload = findUpload(call);
      const part: Part = {
        number,
        etag: received.md5,
        size: received.size,
        lastModified: now(),
        blob,
        ...(upload.checksum && received.checksum && { checksum: received.checksum }),
      };
      store.putPart(bucket, upload, part);
      return { headers: { etag: `"${part.etag}"`, ...checksumHeaders({ checksum: part.checksum }) } };
    },
  );
}

export function listParts(call: Call): Reply {
  const { request } = call;
  const upload = findUpload(call);
  const maxParts = countParam(request, 'max-parts', 1000);
  const marker = countParam(request, 'part-number-marker', MAX_PARTS, 0);
  const rest = [...upload.parts.values()]
    .filter((part) => part.number > marker)
    .sort((a, b) => a.number - b.number);
  const page = rest.slice(0, maxParts);
  const body = xmlDocument(
    'ListPartsResult',
    element('Bucket', request.bucket),
    element('Key', upload.key),
    element('UploadId', upload.id),
    element('PartNumberMarker', marker),
    element('NextPartNumberMarker', page.at(-1)?.number ?? 0),
    element('MaxParts', maxParts),
    element('IsTruncated', rest.length > page.length),
    element('StorageClass', 'STANDARD'),
    element('ChecksumAlgorithm', upload.checksum?.algorithm),
    element('ChecksumType', upload.checksum?.type),
    ...page.map((part) =>
      group(
        'Part',
        element('PartNumber', part.number),
        element('LastModified', isoTime(part.lastModified)),
        element('ETag', `"${part.etag}"`),
        element('Size', part.size),
        checksumElement(part.checksum),
      ),
    ),
  );
  return { body };
}

export function listMultipartUploads(call: Call): Reply {
  const { request } = call;
  const bucket = findBucket(call);
  const prefix = request.param('prefix') ?? '';
  const keyMarker = request.param('key-marker') ?? '';
  const idMarker = request.param('upload-id-marker') ?? '';
  const maxUploads = countParam(request, 'max-uploads', 1000);
  const encode = keyEncoder(call);

  const uploads = [...bucket.uploads.values()].filter((upload) => upload.key.startsWith(prefix));
  const inOrder = sortKeys([...new Set(uploads.map((upload) => upload.key))]).flatMap((key) =>
    uploads.filter((upload) => upload.key === key).sort((a, b) => (a.id < b.id ? -1 : 1)),
  );
  const rest = inOrder.filter(
    ({ key, id }) =>
      Buffer.compare(Buffer.from(key), Buffer.from(keyMarker)) > 0 ||
      (key === keyMarker && idMarker !== '' && id > idMarker),
  );
  const page = rest.slice(0, maxUploads);
  const isTruncated = rest.length > page.length;
  const last = isTruncated ? page.at(-1) : undefined;
  const body = xmlDocument(
    'ListMultipartUploadsResult',
    element('Bucket', bucket.name),
    element('Prefix', encode(prefix)),
    element('KeyMarker', encode(keyMarker)),
    element('UploadIdMarker', idMarker),
    element('NextKeyMarker', last && encode(last.key)),
    element('NextUploadIdMarker', last?.id),
    element('MaxUploads', maxUploads),
    element('IsTruncated', isTruncated),
    ...page.map((upload) =>
      group(
        'Upload',
        element('Key', encode(upload.key)),
        element('UploadId', upload.id),
        element('Initiated', isoTime(upload.initiated)),
        element('StorageClass', 'STANDARD'),
        element('ChecksumAlgorithm', upload.checksum?.algorithm),
        element('ChecksumType', upload.checksum?.type),
      ),
    ),
  );
  return { body };
}

export function abortMultipartUpload(call: Call): Reply {
  call.store.abortUpload(findBucket(call), findUpload(call));
  return { status: 204 };
}

/** The upload of a request. @throws S3Error NoSuchUpload, also when it is of another key */
export function findUpload(call: Call): OpenUpload {
  const id = call.request.param('uploadId') ?? '';
  const upload = findBucket(call).uploads.get(id);
  if (upload && upload.key === call.request.key) return upload;
  throw new S3Error(
    'NoSuchUpload',
    'The specified multipart upload does not exist. The upload ID might be invalid, or the multipart upload might have been aborted or completed.',
    { UploadId: id },
  );
}

/** `<ChecksumCRC32>` of a part or object that has one. */
export function checksumElement(checksum: Checksum | undefined): string {
  return checksum ? element(`Checksum${checksum.algorithm}`, checksum.value) : '';
}

function readUploadChecksum(request: S3Request): OpenUpload['checksum'] {
  const algorithm = request.header('x-amz-checksum-algorithm')?.toUpperCase();
  const type = request.header('x-amz-checksum-type')?.toUpperCase();
  if (algorithm === undefined && type === undefined) return undefined;
  if (algorithm === undefined || !isAlgorithm(algorithm)) {
    throw new S3Error(
      'InvalidRequest',
      'Checksum algorithm provided is unsupported. Please try again with any of the valid types',
    );
  }
  const used = type ?? (algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE');
  if (used === 'FULL_OBJECT' && combines(algorithm)) return { algorithm, type: used };
  if (used === 'COMPOSITE' && algorithm !== 'CRC64NVME') return { algorithm, type: used };
  throw new S3Error(
    'InvalidRequest',
    `The ${used} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
  );
}

function readPartNumber(value: string | undefined): number {
  const number = /^\d{1,5}$/.test(value ?? '') ? Number(value) : 0;
  if (number >= 1 && number <= MAX_PARTS) return number;
  throw new S3Error(
    'InvalidArgument',
    `Part number must be an integer between 1 and ${MAX_PARTS}, inclusive`,
  );
}

/**
 * What to compute of a part's body: the upload's algorithm, which a COMPOSITE upload wants stated. An upload
 * without an algorithm takes any, to check the part with, and keeps none.
 */
function partChecksum(request: S3Request, upload: OpenUpload): ExpectedChecksum | undefined {
  const stated = statedChecksum(request);
  if (!upload.checksum || stated?.algorithm === upload.checksum.algorithm) return stated;
  if (!stated && upload.checksum.type === 'FULL_OBJECT') {
    return { algorithm: upload.checksum.algorithm, stated: 'nowhere' };
  }
  const expected = upload.checksum.algorithm.toLowerCase();
  const actual = stated?.algorithm.toLowerCase() ?? 'null';
  throw new S3Error(
    'InvalidRequest',
    `Checksum Type mismatch occurred, expected checksum Type: ${expected}, actual checksum Type: ${actual}`,
  );
}
