import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FunctionError } from './functions.ts';
import { ACCOUNT_ID } from './resource-types.ts';

/** The answer of a function to an HTTP API, payload format 2.0. */
type FunctionResponse = {
  statusCode?: number;
  headers?: Record<string, string | number | boolean>;
  cookies?: string[];
  body?: string;
  isBase64Encoded?: boolean;
};

const MAX_BODY_BYTES = 10 * 1024 * 1024;
/** Of the request line and the header values. */
const MAX_HEADER_SIZE = 10_240;
const INTEGRATION_TIMEOUT_MS = 30_000;
const TEXT_TYPE = /^(text\/|application\/(json|javascript|xml|[^;]*\+(json|xml)))/i;

/** An API Gateway HTTP API with one `$default` route: turns requests into events and results into answers. */
export class HttpApi {
  readonly url: string;
  private readonly server;
  private invoke: ((event: unknown) => Promise<unknown>) | undefined;
  private log: (line: string) => void = () => {};

  /** Listens on loopback (port 0: any free one); serves once `open` has been called. */
  static async listen(port: number): Promise<HttpApi> {
    const server = createServer({ keepAliveTimeout: 60_000, maxHeaderSize: MAX_HEADER_SIZE });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') throw error;
      throw new Error(`Port ${port} is in use; choose another one by --port, or 0 for any.`, {
        cause: error,
      });
    });
    return new HttpApi(server);
  }

  private constructor(server: ReturnType<typeof createServer>) {
    this.server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => {
      this.serve(request, response).catch((error: Error) => {
        this.log(error.message);
        if (response.headersSent) return;
        if (isThrottle(error)) sendMessage(response, 503, 'Service Unavailable');
        else sendMessage(response, 500, 'Internal Server Error');
      });
    });
  }

  open(invoke: (event: unknown) => Promise<unknown>, log: (line: string) => void): void {
    this.invoke = invoke;
    this.log = log;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    if (this.server.listening) await once(this.server, 'close');
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.invoke) return sendMessage(response, 503, 'Service Unavailable');
    const body = await readBody(request);
    if (!body) return sendMessage(response, 413, 'Request Entity Too Large');
    const [rawPath = '/', queryString = ''] = (request.url ?? '/').split(/\?(.*)/s);
    const path = decoded(rawPath);
    if (path === undefined) return sendMessage(response, 400, 'Bad Request');

    const late = Symbol('late');
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<typeof late>((resolve) => {
      timer = setTimeout(() => resolve(late), INTEGRATION_TIMEOUT_MS);
    });
    const result = await Promise.race([
      this.invoke(eventOf(request, path, queryString, body)),
      timeout,
    ]).finally(() => clearTimeout(timer));
    if (result === late) return sendMessage(response, 503, 'Service Unavailable');
    send(response, result);
  }
}

/** The whole body, or undefined when it is larger than the gateway takes. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk); // read on, so that the client gets its answer
  }
  return size <= MAX_BODY_BYTES ? Buffer.concat(chunks) : undefined;
}

function eventOf(request: IncomingMessage, path: string, queryString: string, body: Buffer) {
  const { cookie } = request.headers;
  const query = joined([...new URLSearchParams(queryString)]);
  const headers = joined(rawHeaders(request).filter(([name]) => name !== 'cookie'));
  const text = TEXT_TYPE.test(request.headers['content-type'] ?? '');
  const now = new Date();

  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: queryString,
    ...(cookie && { cookies: cookie.split(/;\s*/) }),
    headers,
    ...(Object.keys(query).length > 0 && { queryStringParameters: query }),
    requestContext: {
      accountId: ACCOUNT_ID,
      apiId: 'local',
      domainName: request.headers.host,
      domainPrefix: 'local',
      http: {
        method: request.method,
        path,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.socket.remoteAddress,
        userAgent: request.headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey: '$default',
      stage: '$default',
      time: now.toUTCString(),
      timeEpoch: now.getTime(),
    },
    ...(body.length > 0 && { body: body.toString(text ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !text,
  };
}

/** Decodes a path, which the gateway does although the event calls it raw; undefined when it cannot be decoded. */
function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

function rawHeaders({ rawHeaders: raw }: IncomingMessage): [name: string, value: string][] {
  return raw.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), raw[i + 1] ?? '']] : []));
}

/** The values by name, several of one name joined by commas. Any name may come from outside, `__proto__` too. */
function joined(pairs: [name: string, value: string][]): Record<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of pairs) {
    const before = values.get(name);
    values.set(name, before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(values);
}

function send(response: ServerResponse, result: unknown): void {
  const structured = result !== null && typeof result === 'object' && 'statusCode' in result;
  // A result without a status is the body of a 200, as JSON.
  const {
    statusCode = 200,
    headers,
    cookies,
    body,
    isBase64Encoded,
  } = (
    structured
      ? result
      : {
          headers: { 'content-type': 'application/json' },
          body: typeof result === 'string' ? result : JSON.stringify(result),
        }
  ) as FunctionResponse;
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, String(value));
  if (cookies) response.setHeader('set-cookie', cookies);
  response
    .writeHead(statusCode)
    .end(body === undefined ? undefined : Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'));
}

const isThrottle = (error: Error) => error instanceof FunctionError && error.kind === 'throttled';

/** An answer of the gateway itself. */
function sendMessage(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ message }));
}
