import { GetObjectCommand, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { SIGNED_URL_MS, type SignGet } from './signed-url.ts';

/**
 * The URLs state type and disposition of the answer, so that the bucket's origin never serves a stranger's
 * bytes as a page, whatever the object says of itself.
 */
export function createSignGet(client: S3Client, now: () => number): SignGet {
  return async ({ bucket, key, contentType = 'application/octet-stream', inline, headersOnly }) => {
    const signedAt = now();
    const shown = inline && contentType.startsWith('video/');
    const Command = headersOnly ? HeadObjectCommand : GetObjectCommand;
    const command = new Command({
      Bucket: bucket,
      Key: key,
      ResponseContentType: contentType,
      ResponseContentDisposition: shown ? 'inline' : 'attachment',
    });
    const url = await getSignedUrl(client, command, {
      expiresIn: SIGNED_URL_MS / 1000,
      signingDate: new Date(signedAt),
    });
    return { url, expiresAt: signedAt + SIGNED_URL_MS };
  };
}
