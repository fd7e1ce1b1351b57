import { createBucket, headBucket, listObjects } from './bucket-operations.ts';
import { completeMultipartUpload } from './complete-multipart.ts';
import { S3Error } from './errors.ts';
import {
  abortMultipartUpload,
  createMultipartUpload,
  listMultipartUploads,
  listParts,
  uploadPart,
} from './multipart-operations.ts';
import {
  deleteObject,
  deleteObjects,
  getObject,
  putObject,
  RESPONSE_OVERRIDES,
} from './object-operations.ts';
import type { Operation } from './operation.ts';
import type { S3Request } from './request.ts';
import { getObjectTagging, putObjectTagging } from './tagging-operations.ts';

type Route = {
  method: string;
  target: 'bucket' | 'key';
  /** Query parameters that make the request this operation. */
  required: string[];
  optional?: string[];
  operation: Operation;
};

const ROUTES: Route[] = [
  { method: 'PUT', target: 'bucket', required: [], operation: createBucket },
  { method: 'HEAD', target: 'bucket', required: [], operation: headBucket },
  {
    method: 'GET',
    target: 'bucket',
    required: ['list-type'],
    optional: [
      'prefix',
      'delimiter',
      'max-keys',
      'continuation-token',
      'start-after',
      'encoding-type',
      'fetch-owner',
    ],
    operation: listObjects,
  },
  {
    method: 'GET',
    target: 'bucket',
    required: ['uploads'],
    optional: ['prefix', 'key-marker', 'upload-id-marker', 'max-uploads', 'encoding-type'],
    operation: listMultipartUploads,
  },
  { method: 'POST', target: 'bucket', required: ['delete'], operation: deleteObjects },
  { method: 'PUT', target: 'key', required: [], operation: putObject },
  { method: 'GET', target: 'key', required: [], optional: RESPONSE_OVERRIDES, operation: getObject },
  { method: 'HEAD', target: 'key', required: [], optional: RESPONSE_OVERRIDES, operation: getObject },
  { method: 'DELETE', target: 'key', required: [], operation: deleteObject },
  { method: 'GET', target: 'key', required: ['tagging'], operation: getObjectTagging },
  { method: 'PUT', target: 'key', required: ['tagging'], operation: putObjectTagging },
  { method: 'POST', target: 'key', required: ['uploads'], operation: createMultipartUpload },
  { method: 'PUT', target: 'key', required: ['partNumber', 'uploadId'], operation: uploadPart },
  {
    method: 'GET',
    target: 'key',
    required: ['uploadId'],
    optional: ['max-parts', 'part-number-marker'],
    operation: listParts,
  },
  { method: 'POST', target: 'key', required: ['uploadId'], operation: completeMultipartUpload },
  { method: 'DELETE', target: 'key', required: ['uploadId'], operation: abortMultipartUpload },
];

/** The `x-amz-` headers that are understood, besides `x-amz-checksum-*` and `x-amz-meta-*`. */
const HEADERS = new Set([
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-decoded-content-length',
  'x-amz-mp-object-size',
  'x-amz-sdk-checksum-algorithm',
  'x-amz-security-token',
  'x-amz-tagging',
  'x-amz-trailer',
  'x-amz-user-agent',
]);

/**
 * The operation that a request asks for. What is not implemented is refused, never ignored: neither a
 * parameter nor a header of S3's own passes unread.
 * @throws S3Error NotImplemented
 */
export function route(request: S3Request): Operation {
  const params = request.query
    .map(([name]) => name)
    .filter((name) => name !== 'x-id' && !name.toLowerCase().startsWith('x-amz-'));
  const target = request.key === '' ? 'bucket' : 'key';
  const found = ROUTES.find(
    ({ method, target: of, required, optional = [] }) =>
      method === request.method &&
      of === target &&
      required.every((name) => params.includes(name)) &&
      params.every((name) => required.includes(name) || optional.includes(name)),
  );
  if (!found || request.bucket === '') {
    throw new S3Error(
      'NotImplemented',
      `This server does not implement ${request.method} of a ${target} with the parameters [${params.join(', ')}]`,
    );
  }
  const header = Object.keys(request.message.headers).find((name) => !isUnderstood(name));
  if (header !== undefined) {
    throw new S3Error(
      'NotImplemented',
      'A header you provided implies functionality that is not implemented',
      {
        Header: header,
      },
    );
  }
  return found.operation;
}

function isUnderstood(header: string): boolean {
  return !header.startsWith('x-amz-') || HEADERS.has(header) || /^x-amz-(checksum|meta)-/.test(header);
}
