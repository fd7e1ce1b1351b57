import { once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  credentialOf,
  jsonCallPermissions,
  type Permission,
  type Service,
  s3Call,
  targetOperation,
} from './aws-calls.ts';
import { type RolePolicies, refusalMessage, refusalOf } from './iam.ts';
import { awsError, getSecretValue, type PutEvent, putEvents, type StubAnswer } from './stubs.ts';

/** One AWS call of one caller, as counted and as offered to the faults. */
export type AwsCall = {
  /** The function's name, for example `poll`. */
  caller: string;
  service: Service;
  /** The operation as the API names it, for example `TransactWriteItems`, `UploadPart`. */
  operation: string;
  /** The parsed body of a call with a JSON protocol; undefined for S3. */
  body?: Record<string, unknown>;
  /** The trace header (`X-Amzn-Trace-Id`), which the SDK of a function sends along. */
  trace?: string;
};

/** The answer of a service with a JSON protocol. */
export type JsonAnswer = {
  status: number;
  /** The service's own (`x-amzn-...`). */
  headers?: OutgoingHttpHeaders;
  body: Record<string, unknown>;
};

export type Next = (call: AwsCall) => Promise<JsonAnswer>;

/** What AWS does and the emulator of a service does not, around each call of a JSON protocol. */
export type Layer = (call: AwsCall, next: Next) => Promise<JsonAnswer>;

/**
 * What may go wrong with a call: the request is lost before the service saw it, the answer after the service acted,
 * the call is late, or the service answers with an error. `onLoss` is called when something is lost, before the
 * caller can see that.
 */
export type Fault =
  | { kind: 'lose-request' | 'lose-answer'; onLoss?: () => void }
  | { kind: 'delay'; until: Promise<unknown> }
  | { kind: 'error'; status: number; code: string; message: string };

/** Decides for each call whether, and how, it goes wrong. */
export type Faults = (call: AwsCall) => Fault | undefined;

/** Who may call, known by the access key id. Without policies everything is allowed. */
export type Caller = {
  name: string;
  policies?: RolePolicies;
};

type FrontDoorOptions = {
  callers: Map<string, Caller>;
  /** Where the emulators listen. */
  upstreams: { dynamodb: string; sqs: string; s3: string };
  /** The first one sees a call first. */
  layers?: Layer[];
  /** Whether a change of the caller's policies has reached the service; until then its calls are refused. */
  isSettled?: (caller: string) => boolean;
  findSecret: (id: string) => { arn: string; name: string; value: string } | undefined;
  onEvent: (event: PutEvent) => void;
  /** Answers CloudWatch, by the operation. */
  monitoring: Readonly<Record<string, (body: Record<string, unknown>) => StubAnswer>>;
  log: (line: string) => void;
};

const services = new Set<string>([
  'dynamodb',
  'sqs',
  's3',
  'secretsmanager',
  'events',
  'monitoring',
] satisfies Service[]);
const MAX_JSON_BYTES = 16 * 1024 * 1024;

/**
 * The one way from the functions to AWS: knows the caller by its access key, checks IAM, counts, injects faults,
 * and passes the call on to the emulator of its service, S3's bodies as streams.
 */
export class FrontDoor {
  readonly url: string;
  /** May be replaced at any time. */
  faults: Faults = () => undefined;
  private options: FrontDoorOptions | undefined;
  private readonly server;
  private readonly agent = new Agent({ keepAlive: true });
  private readonly tally: Record<string, Record<string, number>> = {};

  /** Listens on a free port of loopback; serves once `open` has been called. */
  static async listen(): Promise<FrontDoor> {
    const server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FrontDoor(server);
  }

  private constructor(server: ReturnType<typeof createServer>) {
    this.server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => {
      this.serve(request, response).catch((error: Error) => {
        if (!response.destroyed) this.options?.log(`front door: ${error.message}`);
        response.destroy();
      });
    });
  }

  open(options: FrontDoorOptions): void {
    this.options = options;
  }

  /** Calls so far: `counts().poll['dynamodb:UpdateItem']`. Retries of the SDK count, too. */
  counts(): Record<string, Record<string, number>> {
    return structuredClone(this.tally);
  }

  /** Closes the connections that wait for a next call, as a load balancer does after some time. */
  closeIdleConnections(): void {
    this.server.closeIdleConnections();
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    this.agent.destroy();
    if (this.server.listening) await once(this.server, 'close');
  }

  private async serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { options } = this;
    const url = new URL(this.url + incoming.url);
    const credential = credentialOf(incoming.headers, url);
    const caller = credential && options?.callers.get(credential.accessKeyId);
    const service = credential?.service as Service;
    if (!options || !caller || !services.has(service)) {
      const who = credential ? `${credential.accessKeyId} for ${credential.service}` : 'an unsigned request';
      const json = services.has(service) && service !== 's3';
      const code = json ? 'UnrecognizedClientException' : 'InvalidAccessKeyId';
      return refuse(response, json ? service : 's3', 403, code, `The front door does not know ${who}.`);
    }

    const body =
      service === 's3'
        ? undefined
        : (JSON.parse((await readBody(incoming)).toString() || '{}') as Record<string, unknown>);
    const s3 = body ? undefined : s3Call(incoming.method ?? 'GET', url, incoming.headers);
    const operation = s3?.operation ?? targetOperation(incoming.headers) ?? 'unknown';
    const needed = s3?.permissions ?? jsonCallPermissions(service, operation, body ?? {});
    this.count(caller.name, `${service}:${operation}`);

    const trace = incoming.headers['x-amzn-trace-id']?.toString();
    const call: AwsCall = {
      caller: caller.name,
      service,
      operation,
      ...(body && { body }),
      ...(trace && { trace }),
    };
    const fault = this.faults(call);
    const lose = () => {
      if (fault && 'onLoss' in fault) fault.onLoss?.();
      response.destroy();
    };
    if (fault?.kind === 'lose-request') return lose();
    if (fault?.kind === 'error') return refuse(response, service, fault.status, fault.code, fault.message);
    if (fault?.kind === 'delay') await fault.until;

    const denied = refusal(caller, needed);
    const early = options.isSettled?.(caller.name) === false ? unsettled(caller, needed) : undefined;
    const refused = denied ?? early;
    if (refused) {
      options.log(`front door: ${denied ? '' : 'before the policies hold, '}${refused}`);
      const [status, code] = service === 's3' ? [403, 'AccessDenied'] : [400, 'AccessDeniedException'];
      return refuse(response, service, status, code, refused);
    }

    const loseAnswer = fault?.kind === 'lose-answer';
    if (body) {
      const answer = await this.answer(call, incoming, response);
      return loseAnswer ? lose() : sendJson(response, answer);
    }

    // Without the right to list a bucket S3 does not say what is missing in it.
    const hideMissing =
      s3 !== undefined &&
      refusal(caller, [{ action: 's3:ListBucket', resource: `arn:aws:s3:::${s3.bucket}` }]);
    await this.forward(incoming, options.upstreams.s3, response, (answer) => {
      if (loseAnswer) {
        answer.resume().once('close', lose);
      } else if (answer.statusCode === 404 && hideMissing && s3?.operation.endsWith('Object')) {
        answer.resume();
        refuse(response, 's3', 403, 'AccessDenied', hideMissing);
      } else {
        response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(response);
      }
    });
  }

  /** Answers a call of a JSON protocol: through the layers, then by a stub or the emulator. */
  private answer(call: AwsCall, incoming: IncomingMessage, response: ServerResponse): Promise<JsonAnswer> {
    const { layers = [], upstreams, findSecret, onEvent, monitoring } = this.options!;
    const last: Next = async ({ service, operation, body = {} }) => {
      if (service === 'secretsmanager') return getSecretValue(body, findSecret);
      if (service === 'events') return putEvents(body, onEvent);
      if (service === 'monitoring')
        return (
          monitoring[operation]?.(body) ?? awsError(400, 'InvalidAction', `There is no ${operation} here.`)
        );
      return this.ask(upstreams[service as 'dynamodb' | 'sqs'], operation, body, incoming, response);
    };
    return layers.reduceRight<Next>((next, layer) => (each) => layer(each, next), last)(call);
  }

  private ask(
    upstream: string,
    operation: string,
    body: Record<string, unknown>,
    incoming: IncomingMessage,
    response: ServerResponse,
  ): Promise<JsonAnswer> {
    const target = String(incoming.headers['x-amz-target']).replace(/[^.]*$/, operation);
    const headers: OutgoingHttpHeaders = { ...incoming.headers, 'x-amz-target': target };
    for (const name of ['content-length', 'connection', 'accept-encoding', 'expect']) delete headers[name];
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(upstream);
      const { method, url: path } = incoming;
      const outgoing = request({ agent: this.agent, hostname, port, method, path, headers });
      outgoing.on('error', reject).on('response', (answer) => {
        text(answer).then(
          (content) =>
            resolve({
              status: answer.statusCode ?? 502,
              headers: ownHeaders(answer),
              body: JSON.parse(content || '{}') as Record<string, unknown>,
            }),
          reject,
        );
      });
      response.on('close', () => outgoing.destroy()); // a caller that hangs up ends its long poll
      outgoing.end(JSON.stringify(body));
    });
  }

  /** Passes a request to S3 on, its body as a stream. */
  private forward(
    incoming: IncomingMessage,
    upstream: string,
    response: ServerResponse,
    onAnswer: (answer: IncomingMessage) => void,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(upstream);
      const outgoing = request({
        agent: this.agent,
        hostname,
        port,
        method: incoming.method,
        path: incoming.url,
        headers: forwardedHeaders(incoming.rawHeaders),
      });
      outgoing.on('error', reject).on('response', (answer) => {
        answer.on('error', () => response.destroy());
        onAnswer(answer);
        resolve();
      });
      response.on('close', () => outgoing.destroy());
      incoming.pipe(outgoing);
    });
  }

  private count(caller: string, operation: string): void {
    this.tally[caller] ??= {};
    this.tally[caller][operation] = (this.tally[caller][operation] ?? 0) + 1;
  }
}

/** Refuses what the policies allow: the service does not know them yet. */
function unsettled({ name, policies }: Caller, [permission]: Permission[]): string | undefined {
  return policies && permission && refusalMessage(policies, name, permission, 'no allow');
}

function refusal({ name, policies }: Caller, needed: Permission[]): string | undefined {
  if (!policies) return undefined;
  for (const permission of needed) {
    const refused = refusalOf(policies, permission);
    if (refused) return refusalMessage(policies, name, permission, refused);
  }
  return undefined;
}

/** All headers as they came, `Host` above all (signatures cover it), but those of the connection itself. */
function forwardedHeaders(raw: string[]): string[] {
  const hopByHop = new Set(['connection', 'keep-alive', 'expect']);
  return raw.filter((_, index) => !hopByHop.has((raw[index - (index % 2)] ?? '').toLowerCase()));
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_JSON_BYTES) throw new Error(`A request body is larger than ${MAX_JSON_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function refuse(
  response: ServerResponse,
  service: Service,
  status: number,
  code: string,
  message: string,
): void {
  if (service !== 's3') {
    sendJson(response, awsError(status, code, message));
    return;
  }
  const escaped = message.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  response
    .writeHead(status, { 'content-type': 'application/xml', connection: 'close' })
    .end(
      `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${escaped}</Message></Error>`,
    );
}

function sendJson(response: ServerResponse, { status, headers, body }: JsonAnswer): void {
  response
    .writeHead(status, { ...headers, 'content-type': 'application/x-amz-json-1.0' })
    .end(JSON.stringify(body));
}

function ownHeaders({ headers }: IncomingMessage): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('x-amzn-')));
}
