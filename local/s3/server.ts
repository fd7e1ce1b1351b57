import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { checkBucketName } from './bucket-operations.ts';
import { S3Error } from './errors.ts';
import { ObjectStore } from './object-store.ts';
import type { Reply } from './operation.ts';
import { parseRequest } from './request.ts';
import { route } from './routes.ts';
import { authenticate, type Credentials } from './signature.ts';

type S3Options = {
  /** Where the state lives; created when missing. One server at a time. */
  dir: string;
  credentials: Credentials;
  /** ms since epoch */
  now: () => number;
  host?: string;
  /** 0 takes any free one. */
  port?: number;
  region?: string;
  /** Of every part but the last: smaller than S3's for tests that copy many parts. */
  minPartBytes?: number;
  /** Whether a conditional completion of an upload meets another write of its key; by default never. */
  conflicts?: () => boolean;
};

export type S3Server = {
  /** Without a trailing slash. */
  url: string;
  /** Creates a bucket; does nothing when it is there. @throws S3Error InvalidBucketName */
  createBucket(name: string): void;
  /** Ends all connections; what is unfinished leaves no trace. */
  close(): Promise<void>;
};

/**
 * Starts an S3 (path style) that is as strict as AWS's on signatures, checksums, sizes and conditions.
 * Bodies stream to disk; state survives restarts and kills.
 */
export async function startS3({
  dir,
  credentials,
  now,
  host = '127.0.0.1',
  port = 0,
  region = 'us-east-1',
  minPartBytes = 5 * 1024 ** 2,
  conflicts = () => false,
}: S3Options): Promise<S3Server> {
  const store = new ObjectStore(dir);
  const running = new Set<Promise<void>>();

  async function answer(message: IncomingMessage): Promise<Reply> {
    const request = parseRequest(message);
    const signer = authenticate(request, credentials, region, now());
    return route(request)({ request, signer, store, minPartBytes, conflicts, now });
  }

  async function serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = randomBytes(8).toString('hex').toUpperCase();
    response.setHeader('x-amz-request-id', requestId);
    try {
      await send(await answer(message), response);
    } catch (error) {
      if (response.headersSent || response.destroyed) response.destroy();
      else await send(refusal(error, requestId), response).catch(() => response.destroy());
    }
  }

  const server = createServer((message, response) => {
    const serving = serve(message, response).finally(() => running.delete(serving));
    running.add(serving);
  });
  server.requestTimeout = 0; // a part may take as long as its sender
  server.keepAliveTimeout = 60_000; // clients that keep a connection idle for less never meet a closed one
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });

  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    createBucket(name) {
      checkBucketName(name);
      store.createBucket(name);
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await Promise.all([closed, ...running]);
    },
  };
}

function refusal(error: unknown, requestId: string): Reply {
  const refused =
    error instanceof S3Error
      ? error
      : new S3Error('InternalError', 'We encountered an internal error. Please try again.');
  if (refused !== error) console.error('Local S3 failed on a request:', error);
  return { status: refused.status, body: refused.toXml(requestId) };
}

async function send({ status = 200, headers = {}, body }: Reply, response: ServerResponse): Promise<void> {
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) response.setHeader(name, value);
  }
  if (typeof body === 'string') {
    response.setHeader('content-type', 'application/xml');
    response.setHeader('content-length', Buffer.byteLength(body));
  }
  response.statusCode = status;
  if (body === undefined || typeof body === 'string') response.end(body);
  else await pipeline(body, response);
}
