import { ListPartsCommand, type S3Client, UploadPartCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { crc32FromBase64, crc32ToBase64 } from '../../domain/copying/crc32.ts';
import type { SignedPut } from './part-sender.ts';
import { named, sent, type UploadPlace } from './s3-call.ts';

export type StoredPart = {
  readonly number: number;
  readonly etag: string;
  readonly size: number;
  readonly crc: number;
};

const CRC_HEADER = 'x-amz-checksum-crc32';
const PART_URL_S = 3600;

/** The parts of an upload. They are sent to signed URLs, without the SDK. */
export function createParts(client: S3Client) {
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

  return { signPart, parts };
}
