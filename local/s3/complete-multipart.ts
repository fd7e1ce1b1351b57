import { createHash } from 'node:crypto';
import { receiveText } from './body.ts';
import {
  ALGORITHMS,
  type Checksum,
  checksumHeader,
  combineChecksums,
  compositeChecksum,
} from './checksum.ts';
import { checkWrite } from './conditions.ts';
import { S3Error } from './errors.ts';
import { checksumElement, findUpload } from './multipart-operations.ts';
import type { OpenUpload, Part, StoredObject } from './object-store.ts';
import { asList, type Call, findBucket, malformedXml, type Reply, unquote } from './operation.ts';
import type { S3Request } from './request.ts';
import { element, parseXml, xmlDocument } from './xml.ts';

/** A part as the client names it. */
type NamedPart = {
  number: number;
  etag: string;
  checksums: Checksum[];
};

/**
 * CompleteMultipartUpload; an upload that it refuses stays open, except after a conflict. One that is completed already answers as it did
 * before, as long as the object is the one that it made.
 */
export async function completeMultipartUpload(call: Call): Promise<Reply> {
  const { request, signer, store, minPartBytes, now } = call;
  const bucket = findBucket(call);
  const made = bucket.objects.get(request.key);
  if (made?.uploadId !== undefined && made.uploadId === request.param('uploadId')) {
    await receiveText(request, signer, undefined);
    return completed(call, made);
  }
  findUpload(call);
  // The checksum in the headers is that of the object, not of this body.
  const named = readNamedParts(await receiveText(request, signer, undefined));
  const { checksum: mode } = findUpload(call);
  const parts = matchParts(findUpload(call), named, minPartBytes);
  const checksum = await wholeChecksum(mode, parts, named);
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  checkWhole(request, mode, size, checksum);

  // From here on nothing waits, so nothing changes between check and commit.
  const upload = findUpload(call);
  if (parts.some((part) => upload.parts.get(part.number) !== part)) throw invalidPart(upload);
  if (request.header('if-none-match') !== undefined && call.conflicts()) {
    store.abortUpload(bucket, upload);
    throw new S3Error('ConditionalRequestConflict', 'A conflicting operation occurred on the same key.');
  }
  checkWrite(request, bucket.objects.get(upload.key));
  const md5s = Buffer.concat(parts.map((part) => Buffer.from(part.etag, 'hex')));
  const etag = `${createHash('md5').update(md5s).digest('hex')}-${parts.length}`;
  const { id, key, headers, metadata, tags } = upload;
  const object: StoredObject = {
    key,
    headers,
    metadata,
    tags,
    etag,
    size,
    lastModified: now(),
    blobs: parts.map((part) => part.blob),
    uploadId: id,
    ...(checksum && mode && { checksum, checksumType: mode.type }),
  };
  store.completeUpload(bucket, upload, object);
  return completed(call, object);
}

function completed({ request }: Call, { key, etag, checksum, checksumType }: StoredObject): Reply {
  const body = xmlDocument(
    'CompleteMultipartUploadResult',
    element('Location', `http://${request.header('host')}${request.path}`),
    element('Bucket', request.bucket),
    element('Key', key),
    element('ETag', `"${etag}"`),
    checksumElement(checksum),
    element('ChecksumType', checksumType),
  );
  return { body };
}

function readNamedParts(xml: string): NamedPart[] {
  return asList(parseXml(xml, 'CompleteMultipartUpload')?.Part).map((part) => {
    const { PartNumber, ETag } = part;
    if (typeof PartNumber !== 'string' || !/^\d{1,5}$/.test(PartNumber) || typeof ETag !== 'string') {
      throw malformedXml();
    }
    const checksums = ALGORITHMS.flatMap((algorithm) => {
      const value = part[`Checksum${algorithm}`];
      return typeof value === 'string' ? [{ algorithm, value }] : [];
    });
    return { number: Number(PartNumber), etag: unquote(ETag), checksums };
  });
}

/** The parts that are named, in order. @throws S3Error InvalidPartOrder, InvalidPart, EntityTooSmall */
function matchParts(upload: OpenUpload, named: NamedPart[], minPartBytes: number): Part[] {
  if (named.some(({ number }, index) => index > 0 && number <= named[index - 1]!.number)) {
    throw new S3Error(
      'InvalidPartOrder',
      'The list of parts was not in ascending order. The parts list must be specified in order by part number.',
      { UploadId: upload.id },
    );
  }
  const parts = named.map(({ number, etag, checksums }) => {
    const part = upload.parts.get(number);
    const agrees = checksums.every(
      ({ algorithm, value }) => part?.checksum?.algorithm === algorithm && part.checksum.value === value,
    );
    if (!part || part.etag !== etag || !agrees) throw invalidPart(upload, number);
    return part;
  });
  const small = parts.slice(0, -1).find((part) => part.size < minPartBytes);
  if (small) {
    throw new S3Error('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
      PartNumber: small.number,
      ETag: small.etag,
      ProposedSize: small.size,
      MinSizeAllowed: minPartBytes,
    });
  }
  return parts;
}

/** The object's checksum from those of its parts: combined, or of them. */
async function wholeChecksum(
  mode: OpenUpload['checksum'],
  parts: Part[],
  named: NamedPart[],
): Promise<Checksum | undefined> {
  if (!mode) return undefined;
  const { algorithm, type } = mode;
  const values = parts.map(({ checksum, size }) => ({ value: checksum!.value, size }));
  if (type === 'FULL_OBJECT') return { algorithm, value: combineChecksums(algorithm, values) };
  const missing = named.find(({ checksums }) => checksums.length === 0);
  if (missing) {
    throw new S3Error(
      'InvalidRequest',
      `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${missing.number} in the request.`,
    );
  }
  return {
    algorithm,
    value: await compositeChecksum(
      algorithm,
      values.map(({ value }) => value),
    ),
  };
}

/** Holds size and checksum against what the client says of the object. @throws S3Error InvalidRequest, BadDigest */
function checkWhole(
  request: S3Request,
  mode: OpenUpload['checksum'],
  size: number,
  checksum: Checksum | undefined,
): void {
  const claimedSize = request.header('x-amz-mp-object-size');
  if (claimedSize !== undefined && claimedSize !== String(size)) {
    throw new S3Error(
      'InvalidRequest',
      `The provided 'x-amz-mp-object-size' header value ${claimedSize} does not match what was computed: ${size}`,
    );
  }
  const claimedType = request.header('x-amz-checksum-type')?.toUpperCase();
  if (claimedType !== undefined && claimedType !== mode?.type) {
    throw new S3Error(
      'InvalidRequest',
      `The upload was created using the ${mode?.type ?? 'null'} checksum mode. The complete request must use the same checksum mode.`,
    );
  }
  for (const algorithm of ALGORITHMS) {
    const claimed = request.header(checksumHeader(algorithm));
    if (claimed === undefined) continue;
    if (algorithm !== checksum?.algorithm) {
      throw new S3Error(
        'InvalidRequest',
        `Checksum Type mismatch occurred, expected checksum Type: ${checksum?.algorithm.toLowerCase() ?? 'null'}, actual checksum Type: ${algorithm.toLowerCase()}`,
      );
    }
    if (claimed !== checksum.value) {
      throw new S3Error('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`);
    }
  }
}

function invalidPart(upload: OpenUpload, number?: number): S3Error {
  return new S3Error(
    'InvalidPart',
    "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    { UploadId: upload.id, ...(number !== undefined && { PartNumber: number }) },
  );
}
