import type { Video } from '../../domain/requests/request.ts';

/** How long a URL to a stored video works at most, ms; it may end earlier, with its signer's credentials. */
export const SIGNED_URL_MS = 900_000;

/** A stored video and how a browser is to take it. */
type SignedObject = {
  readonly bucket: string;
  readonly key: string;
  readonly contentType?: string | undefined;
  /** To be shown in place (a player) instead of saved; only what is video by its bytes is ever shown. */
  readonly inline?: boolean;
  /** A signature is for one method: a client that asks by HEAD follows with it. */
  readonly headersOnly?: boolean;
};

/** Signs a URL that fetches an object, or its headers; signing is local and makes no call. */
export type SignGet = (object: SignedObject) => Promise<{ url: string; expiresAt: number }>;

/** Where a stored video is; undefined for one that is not stored. */
export function storedObject(video: Video | undefined): SignedObject | undefined {
  const { state, bucket, key, contentType } = video ?? {};
  return state === 'stored' && bucket && key ? { bucket, key, contentType } : undefined;
}
