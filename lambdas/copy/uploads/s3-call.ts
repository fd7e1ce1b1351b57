import { S3ServiceException } from '@aws-sdk/client-s3';
import { bucketError, exchangeFailed } from './bucket-error.ts';

export type ObjectPlace = { readonly bucket: string; readonly key: string };
export type UploadPlace = ObjectPlace & { readonly uploadId: string };

/** An object as S3's commands name it. */
export const named = ({ bucket, key }: ObjectPlace) => ({ Bucket: bucket, Key: key });

/** Makes a call; its failure becomes a BucketError. */
export async function sent<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw translated(error);
  }
}

/** An error of S3's client as a BucketError, where it is one of the bucket or the exchange. */
export function translated(error: unknown): unknown {
  if (error instanceof S3ServiceException) {
    return bucketError(error.name, error.$metadata.httpStatusCode ?? 0);
  }
  // No answer at all, after the SDK's own tries.
  const { code, name } = error as NodeJS.ErrnoException;
  return code !== undefined || name === 'TimeoutError' ? exchangeFailed(error as Error) : error;
}
