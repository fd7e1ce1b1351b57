import { createHash } from 'node:crypto';

/** A UUID that is always the same for the same words. */
export const uuid = (words: string): string =>
  createHash('sha256')
    .update(words)
    .digest('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
