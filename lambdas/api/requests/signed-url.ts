import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';

/** How long a URL to a stored video is good for, at most; it may die earlier, with its signer's credentials. */
export const SIGNED_URL_MS = 900_000;

/** Signs a URL that fetches an object; signing is local and calls nobody. */
export type SignGet = (object: {
  bucket: string;
  key: string;
}) => Promise<{ url: string; expiresAt: number }>;

export function createSignGet(client: S3Client, now: () => number): SignGet {
  return async ({ bucket, key }) => {
    const signedAt = now();
    const url = await getSignedUrl(client, new GetObjectCommand({ Bucket: bucket, Key: key }), {
      expiresIn: SIGNED_URL_MS / 1000,
      signingDate: new Date(signedAt),
    });
    return { url, expiresAt: signedAt + SIGNED_URL_MS };
  };
}
