import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { ObjectMark } from '../../domain/copying/copy.ts';
import { crc32FromBase64, crc32ToBase64 } from '../../domain/copying/crc32.ts';
import { BucketError, bucketError, exchangeFailed } from './bucket-error.ts';
import type { SignedPut } from './part-sender.ts';

export type ObjectPlace = { readonly bucket: string; readonly key: string };
export type UploadPlace = ObjectPlace & { readonly uploadId: string };

export type StoredPart = {
  readonly number: number;
  readonly etag: string;
  readonly size: number;
  readonly crc: number;
};

type StoredObject = {
  readonly size: number;
  /** Base64; absent when the object has none. */
  readonly crc32: string | undefined;
  readonly mark: Partial<ObjectMark>;
};

export type Uploads = ReturnType<typeof createUploads>;

/**
 * How the client must be set. Every body states its own checksum, so the SDK computes none. While S3
 * completes an upload it sends white space now and then, so only silence counts.
 */
export const UPLOADS_CLIENT = {
  requestChecksumCalculation: 'WHEN_REQUIRED',
  requestHandler: { connectionTimeout: 3_000, socketTimeout: 60_000 },
} as const;

const CRC_HEADER = 'x-amz-checksum-crc32';
const PART_URL_S = 3600;
/** Parts that were on their way may arrive after an abort; it is repeated until none are left. */
const ABORT_TRIES = 10;

/**
 * The bucket as the copy uses it, over the SDK's client; only the parts themselves go past it.
 * S3's refusals become {@link BucketError}s.
 */
export function createUploads(client: S3Client) {
  /** Begins an upload whose parts and whole S3 is to verify by CRC-32. */
  async function begin(
    place: ObjectPlace,
    mark: ObjectMark,
    contentType: string,
    signal?: AbortSignal,
  ): Promise<string> {
    const { UploadId } = await sent(() =>
      client.send(
        new CreateMultipartUploadCommand({
          ...named(place),
          ...described(mark, contentType),
          ChecksumAlgorithm: 'CRC32',
          ChecksumType: 'FULL_OBJECT',
        }),
        { abortSignal: signal },
      ),
    );
    return UploadId as string;
  }

  /** Signs the PUT of a part with its checksum, which S3 compares with what it receives. */
  async function signPart(upload: UploadPlace, part: number, crc: number): Promise<SignedPut> {
    const value = crc32ToBase64(crc);
    const command = new UploadPartCommand({
      ...named(upload),
      UploadId: upload.uploadId,
      PartNumber: part,
      ChecksumCRC32: value,
    });
    const url = await getSignedUrl(client, command, {
      expiresIn: PART_URL_S,
      unhoistableHeaders: new Set([CRC_HEADER]),
    });
    return { url, headers: { [CRC_HEADER]: value } };
  }

  /** The parts that S3 holds from `first` to `last` (inclusive), in order. */
  async function parts(upload: UploadPlace, first: number, last: number): Promise<StoredPart[]> {
    const found: StoredPart[] = [];
    let marker: string | undefined = String(first - 1);
    while (marker !== undefined) {
      const page = await sent(() =>
        client.send(
          new ListPartsCommand({
            ...named(upload),
            UploadId: upload.uploadId,
            PartNumberMarker: marker,
            MaxParts: Math.min(1000, last - Number(marker)),
          }),
        ),
      );
      for (const { PartNumber = 0, ETag = '', Size = 0, ChecksumCRC32 } of page.Parts ?? []) {
        if (PartNumber > last || ChecksumCRC32 === undefined) continue;
        found.push({ number: PartNumber, etag: ETag, size: Size, crc: crc32FromBase64(ChecksumCRC32) });
      }
      const next = page.IsTruncated ? page.NextPartNumberMarker : undefined;
      marker = next !== undefined && Number(next) < last ? next : undefined;
    }
    return found;
  }

  /** Puts the parts together, demanding checksum and size of the whole, and that the key is free. */
  async function complete(
    upload: UploadPlace,
    parts: readonly StoredPart[],
    whole: { crc: number; size: number },
  ): Promise<void> {
    await sent(() =>
      client.send(
        new CompleteMultipartUploadCommand({
          ...named(upload),
          UploadId: upload.uploadId,
          MultipartUpload: {
            Parts: parts.map(({ number, etag, crc }) => ({
              PartNumber: number,
              ETag: etag,
              ChecksumCRC32: crc32ToBase64(crc),
            })),
          },
          ChecksumCRC32: crc32ToBase64(whole.crc),
          ChecksumType: 'FULL_OBJECT',
          MpuObjectSize: whole.size,
          IfNoneMatch: '*',
        }),
      ),
    );
  }

  /** Stores a small object in one request, if the key is free. */
  async function put(
    place: ObjectPlace,
    mark: ObjectMark,
    contentType: string,
    body: Uint8Array,
    crc: number,
    signal?: AbortSignal,
  ): Promise<void> {
    await sent(() =>
      client.send(
        new PutObjectCommand({
          ...named(place),
          ...described(mark, contentType),
          Body: body,
          ContentLength: body.length,
          ChecksumCRC32: crc32ToBase64(crc),
          IfNoneMatch: '*',
        }),
        { abortSignal: signal },
      ),
    );
  }

  /** The object at a key; undefined when there is none. */
  async function head(place: ObjectPlace): Promise<StoredObject | undefined> {
    try {
      const {
        ContentLength = 0,
        ChecksumCRC32,
        Metadata = {},
      } = await client.send(new HeadObjectCommand({ ...named(place), ChecksumMode: 'ENABLED' }));
      const generation = Metadata.generation === undefined ? undefined : Number(Metadata.generation);
      return {
        size: ContentLength,
        crc32: ChecksumCRC32,
        mark: { requestId: Metadata['request-id'], copyId: Metadata['copy-id'], generation },
      };
    } catch (error) {
      if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) return undefined;
      throw translated(error);
    }
  }

  /** Aborts every upload at a key that the copy has reserved, and makes sure that nothing of them is left. */
  async function abortAll(place: ObjectPlace): Promise<void> {
    for (let attempt = 1; attempt <= ABORT_TRIES; attempt++) {
      const { Uploads = [] } = await sent(() =>
        client.send(new ListMultipartUploadsCommand({ Bucket: place.bucket, Prefix: place.key })),
      );
      const own = Uploads.filter((upload) => upload.Key === place.key);
      if (own.length === 0) return;
      for (const { UploadId = '' } of own) await abort({ ...place, uploadId: UploadId });
    }
    throw new BucketError('unavailable', 'uploads keep appearing at the key');
  }

  async function abort(upload: UploadPlace): Promise<void> {
    const id = { ...named(upload), UploadId: upload.uploadId };
    for (let attempt = 1; attempt <= ABORT_TRIES; attempt++) {
      try {
        await sent(() => client.send(new AbortMultipartUploadCommand(id)));
        const { Parts = [] } = await sent(() => client.send(new ListPartsCommand({ ...id, MaxParts: 1 })));
        if (Parts.length === 0) return;
      } catch (error) {
        if (error instanceof BucketError && error.kind === 'gone') return;
        throw error;
      }
    }
  }

  async function remove(place: ObjectPlace): Promise<void> {
    await sent(() => client.send(new DeleteObjectCommand(named(place))));
  }

  return { begin, signPart, parts, complete, put, head, abortAll, remove };
}

const named = ({ bucket, key }: ObjectPlace) => ({ Bucket: bucket, Key: key });

const described = (mark: ObjectMark, contentType: string) => ({
  ContentType: contentType,
  Metadata: {
    'request-id': mark.requestId,
    'copy-id': mark.copyId,
    generation: String(mark.generation),
  },
  Tagging: `requestId=${mark.requestId}`,
});

async function sent<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw translated(error);
  }
}

function translated(error: unknown): unknown {
  if (error instanceof S3ServiceException) {
    return bucketError(error.name, error.$metadata.httpStatusCode ?? 0);
  }
  // No answer at all, after the SDK's own tries.
  const { code, name } = error as NodeJS.ErrnoException;
  return code !== undefined || name === 'TimeoutError' ? exchangeFailed(error as Error) : error;
}
