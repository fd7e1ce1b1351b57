import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { BucketError } from './bucket-error.ts';
import { named, type ObjectPlace, sent, type UploadPlace } from './s3-call.ts';

/** Parts that were on their way may arrive after an abort; it is repeated until none are left. */
const ABORT_TRIES = 10;

export function createAbortUploads(client: S3Client) {
  /** Aborts every upload at a key that the copy has reserved, and makes sure that nothing of them is left. */
  return async function abortAll(place: ObjectPlace): Promise<void> {
    for (let attempt = 1; attempt <= ABORT_TRIES; attempt++) {
      const { Uploads = [] } = await sent(() =>
        client.send(new ListMultipartUploadsCommand({ Bucket: place.bucket, Prefix: place.key })),
      );
      const own = Uploads.filter((upload) => upload.Key === place.key);
      if (own.length === 0) return;
      for (const { UploadId = '' } of own) await abort({ ...place, uploadId: UploadId });
    }
    throw new BucketError('unavailable', 'uploads keep appearing at the key');
  };

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
}
