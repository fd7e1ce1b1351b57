import { createHash, createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { onTestFinished } from 'vitest';
import { type S3Server, startS3 } from '../../../local/s3/server.ts';

export const BUCKET = 'videos';
export const CREDENTIALS = { accessKeyId: 'copy', secretAccessKey: 'secret-of-copy' };
export const MIB = 1024 * 1024;

/** A folder that goes when the test ends. */
export function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 's3-test-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A server with the bucket `videos`, that ends with the test. */
export async function startTestS3({
  dir = temporaryFolder(),
  now = Date.now,
  conflicts,
}: {
  dir?: string;
  now?: () => number;
  conflicts?: () => boolean;
} = {}): Promise<S3Server> {
  const server = await startS3({
    dir,
    now,
    conflicts,
    credentials: (id) => (id === CREDENTIALS.accessKeyId ? CREDENTIALS.secretAccessKey : undefined),
  });
  onTestFinished(() => server.close());
  server.createBucket(BUCKET);
  return server;
}

/** The real SDK client; no retries, so that every refusal is seen. */
export function clientOf(server: { url: string }, config: S3ClientConfig = {}): S3Client {
  const client = new S3Client({
    endpoint: server.url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: CREDENTIALS,
    maxAttempts: 1,
    ...config,
  });
  onTestFinished(() => client.destroy());
  return client;
}

/** How a call was refused: code and status, as `NoSuchKey 404`. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'not refused';
  } catch (error) {
    const { name, $metadata } = error as { name: string; $metadata?: { httpStatusCode: number } };
    if (!$metadata) throw error;
    return `${name} ${$metadata.httpStatusCode}`;
  }
}

type Answer = {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
  /** The `Code` of an error. */
  code?: string;
};

/** One request by `node:http`, as a program without the SDK sends it. */
export function send(
  method: string,
  url: string,
  headers: Record<string, string | number> = {},
  body: Buffer | string = '',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString();
      const code = /<Code>(.*)<\/Code>/.exec(text)?.[1];
      resolve({ status: response.statusCode!, headers: response.headers, body: text, ...(code && { code }) });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** The headers of a request signed by hand, and how to sign the chunks of its body. */
export function signByHand(
  method: string,
  url: string,
  payload: string,
  headers: Record<string, string> = {},
) {
  const { host, pathname } = new URL(url);
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${date.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const all: Record<string, string> = {
    ...headers,
    host,
    'x-amz-content-sha256': payload,
    'x-amz-date': date,
  };
  const names = Object.keys(all).sort();
  const canonical = [
    method,
    pathname,
    '',
    ...names.map((name) => `${name}:${all[name]}`),
    '',
    names.join(';'),
    payload,
  ].join('\n');
  const key = scope
    .split('/')
    .reduce<Buffer>((k, step) => hmac(k, step), Buffer.from(`AWS4${CREDENTIALS.secretAccessKey}`));
  const sign = (...lines: string[]) => hmac(key, lines.join('\n')).toString('hex');
  const signature = sign('AWS4-HMAC-SHA256', date, scope, sha256(canonical));
  const credential = `Credential=${CREDENTIALS.accessKeyId}/${scope}`;
  all.authorization = `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`;

  let previous = signature;
  return {
    headers: all,
    /** An aws-chunked body of these chunks (the empty last one is added), then the trailers. */
    chunkedBody(chunks: string[], trailers: Record<string, string> = {}): Buffer {
      const signed = payload.startsWith('STREAMING-AWS4');
      const framed = [...chunks, ''].map((chunk) => {
        if (signed) {
          previous = sign('AWS4-HMAC-SHA256-PAYLOAD', date, scope, previous, sha256(''), sha256(chunk));
        }
        const extension = signed ? `;chunk-signature=${previous}` : '';
        return `${chunk.length.toString(16)}${extension}\r\n${chunk}${chunk === '' ? '' : '\r\n'}`;
      });
      const lines = Object.entries(trailers).map(([name, value]) => `${name}:${value}`);
      if (signed && lines.length > 0) {
        const hash = sha256(lines.map((line) => `${line}\n`).join(''));
        lines.push(
          `x-amz-trailer-signature:${sign('AWS4-HMAC-SHA256-TRAILER', date, scope, previous, hash)}`,
        );
      }
      return Buffer.from(`${framed.join('')}${lines.map((line) => `${line}\r\n`).join('')}\r\n`);
    },
  };
}

export function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}
