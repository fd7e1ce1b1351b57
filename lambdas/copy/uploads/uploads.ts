import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type { ObjectMark } from '../../domain/copying/copy.ts';
import { crc32ToBase64 } from '../../domain/copying/crc32.ts';
import { createAbortUploads } from './abort-uploads.ts';
import { createParts, type StoredPart } from './parts.ts';
import { named, type ObjectPlace, sent, translated, type UploadPlace } from './s3-call.ts';

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

/**
 * The bucket as the copy uses it, over the SDK's client; only the parts themselves go past it.
 * Failures become BucketErrors.
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

  async function remove(place: ObjectPlace): Promise<void> {
    await sent(() => client.send(new DeleteObjectCommand(named(place))));
  }

  return { ...createParts(client), begin, complete, put, head, remove, abortAll: createAbortUploads(client) };
}

const described = (mark: ObjectMark, contentType: string) => ({
  ContentType: contentType,
  Metadata: {
    'request-id': mark.requestId,
    'copy-id': mark.copyId,
    generation: String(mark.generation),
  },
  Tagging: `requestId=${mark.requestId}`,
});
