import type { IncomingMessage } from 'node:http';
import { S3Error } from './errors.ts';

/** One request in S3's terms (path style), before it is known whether it is allowed. */
export type S3Request = {
  readonly message: IncomingMessage;
  readonly method: string;
  /** The path as sent, still encoded. */
  readonly path: string;
  readonly bucket: string;
  /** Empty for a request to the bucket itself. */
  readonly key: string;
  /** Decoded query parameters in the order sent. */
  readonly query: readonly (readonly [name: string, value: string])[];
  param(name: string): string | undefined;
  /** A header; presigned URLs carry their `x-amz-*` headers as query parameters, which count the same. */
  header(name: string): string | undefined;
};

/** @throws S3Error InvalidURI when the URL is not properly encoded. */
export function parseRequest(message: IncomingMessage): S3Request {
  const url = message.url ?? '/';
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? [] : parseQuery(url.slice(mark + 1));
  const [, bucket = '', key = ''] = /^\/([^/]*)\/?(.*)$/s.exec(path) ?? [];
  return {
    message,
    method: message.method ?? 'GET',
    path,
    bucket: decode(bucket),
    key: decode(key),
    query,
    param: (name) => query.find((pair) => pair[0] === name)?.[1],
    header: (name) => {
      const value = message.headers[name];
      if (value !== undefined) return String(value);
      if (!name.startsWith('x-amz-')) return undefined;
      return query.find((pair) => pair[0].toLowerCase() === name)?.[1];
    },
  };
}

function parseQuery(query: string): [string, string][] {
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=');
      return equals < 0
        ? [decode(pair), '']
        : [decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))];
    });
}

function decode(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw new S3Error('InvalidURI', "Couldn't parse the specified URI.");
  }
}
