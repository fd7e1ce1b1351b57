import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Video } from '../../domain/requests/request.ts';

/** How long a URL to a stored video works at most, ms; it may end earlier, with its signer's credentials. */
export const SIGNED_URL_MS = 900_000;

/** A stored video and how a browser is to take it. */
export type SignedObject = {
  readonly bucket: string;
  readonly key: string;
  readonly contentType?: string | undefined;
  /** To be shown in place (a player) instead of saved; only what is video by its bytes is ever shown. */
  readonly inline?: boolean;
};

/** Signs a URL that fetches an object; signing is local and calls nobody. */
export type SignGet = (object: SignedObject) => Promise<{ url: string; expiresAt: number }>;

/**
 * The URLs state type and disposition of the answer, so that the bucket's origin never serves a stranger's
 * bytes as a page, whatever the object says of itself.
 */
export function createSignGet(client: S3Client, now: () => number): SignGet {
  return async ({ bucket, key, contentType = 'application/octet-stream', inline = false }) => {
    const signedAt = now();
    const shown = inline && contentType.startsWith('video/');
    const command = new GetObjectCommand({
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

/** Where a stored video is; undefined for one that is not stored. */
export function storedObject(video: Video | undefined): SignedObject | undefined {
  const { state, bucket, key, contentType } = video ?? {};
  return state === 'stored' && bucket && key ? { bucket, key, contentType } : undefined;
}
