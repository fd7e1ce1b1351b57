import { notAVideo } from '../../domain/copying/media-type.ts';
import { encodingFault, type Headers, text } from '../../domain/copying/source-answer.ts';
import { busy, SourceError } from './source-error.ts';

/** What an answer says of the file. */
export type FileFacts = {
  /** Bytes, where the source says it. */
  readonly size: number | undefined;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  readonly contentType: string | undefined;
  /** The first bytes. */
  readonly head: Buffer;
};

export const EMPTY = 'the source is empty';

/** What a good answer says of the file; throws for one that cannot be copied, now or ever. */
export function factsOf(headers: Headers, size: number | undefined, head: Buffer): FileFacts {
  const encoding = encodingFault(headers);
  if (encoding) throw new SourceError(encoding);
  const contentType = text(headers['content-type']);
  if (size === 0 || head.length === 0) throw busy(EMPTY);
  // Some servers answer a page with status 200 until the file is there.
  const reason = notAVideo(contentType, head);
  if (reason) throw busy(reason);
  const lastModified = text(headers['last-modified']);
  return { size, etag: text(headers.etag), lastModified, contentType, head };
}
