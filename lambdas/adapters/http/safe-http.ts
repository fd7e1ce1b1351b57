import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { isAddress, isLoopbackAddress, isPublicAddress } from '../../domain/http/public-address.ts';
import { checkTargetUrl, dialedHost } from '../../domain/http/target-url.ts';
import { asExchangeError, ExchangeError, type Stage, timeoutError } from './exchange-error.ts';
import { guardedLookup, type Resolve, resolveByDns } from './guarded-lookup.ts';
import { watchRawAnswer } from './raw-answer.ts';

export type Exchange = {
  readonly method: string;
  readonly url: string;
  /** The client sets `host` and `accept-encoding` itself, and ignores given ones. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** For the whole exchange, from the wait for a connection to the last byte of the answer. */
  readonly timeoutMs: number;
  /** Until the answer's headers are there. */
  readonly headersTimeoutMs?: number;
  readonly signal?: AbortSignal;
};

/** An answer whose body is still to be read, at any speed; leaving it unread holds its connection. */
export type OpenAnswer = {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  /** Destroy it to give the answer up. */
  readonly message: IncomingMessage;
  /** Turns an error of `message` into an {@link ExchangeError}. */
  readonly explain: (error: unknown) => ExchangeError;
};

type BodyLimits = {
  /** Beyond this many bytes the connection is destroyed and the answer taken as it is. */
  readonly maxBodyBytes: number;
  /** How many bytes of the body are returned. */
  readonly keepBytes: number;
  /** How long the body is read once the headers are there, ms; then the answer is taken as it is. By default `timeoutMs` runs on. */
  readonly bodyTimeoutMs?: number;
};

export type Answer = {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Whether the answer had more bytes than `body` holds. */
  readonly truncated: boolean;
};

/** Throws nothing but {@link ExchangeError}. Answers of any status are answers; none is followed. */
export type SafeHttp = {
  /**
   * Sends and reads the answer, within limits. Once its status line has come it is an answer: what is
   * wrong with the rest (framing, a connection that breaks off) only shortens what is returned of it.
   */
  request(exchange: Exchange & BodyLimits): Promise<Answer>;
  /** Sends and returns as soon as the answer's headers are there; `timeoutMs` runs on to the end of the body. */
  open(exchange: Exchange): Promise<OpenAnswer>;
  /** Ends idle connections. */
  close(): void;
};

export type SafeHttpOptions = {
  /** Only locally: admits loopback addresses, and plain http to them. */
  readonly allowLoopback: boolean;
  /** The longest URL that is admitted; by default the longest of a webhook. */
  readonly maxUrlLength?: number;
  readonly resolve?: Resolve;
  /** Certificates to trust in place of the well-known ones (PEM). */
  readonly ca?: string;
};

/** `maxSockets` is per origin, so that a slow one cannot use up the connections of others. */
const AGENT: https.AgentOptions = {
  /** Stated, so that NODE_TLS_REJECT_UNAUTHORIZED cannot switch it off. */
  rejectUnauthorized: true,
  keepAlive: true,
  maxSockets: 64,
  maxFreeSockets: 8,
  scheduling: 'lifo',
  /** After how long an idle connection ends, ms. */
  timeout: 10_000,
  /** Node's 250 ms would give up on the first address of a host across an ocean. */
  autoSelectFamilyAttemptTimeout: 1_000,
};

/**
 * An HTTP client for URLs that strangers chose. It dials public addresses only, checked by the
 * connector's own resolution on every connection, and bounds time, body and connections.
 */
export function createSafeHttp(options: SafeHttpOptions): SafeHttp {
  const { allowLoopback, maxUrlLength: maxLength, ca, resolve = resolveByDns() } = options;
  const admits = (address: string) =>
    isPublicAddress(address) || (allowLoopback && isLoopbackAddress(address));
  const encrypted = new https.Agent({ ...AGENT, ca, lookup: guardedLookup(resolve, admits) });
  const plain = new http.Agent({ ...AGENT, lookup: guardedLookup(resolve, isLoopbackAddress) });

  function start(url: URL, { method, headers, body }: Exchange): http.ClientRequest {
    const client = url.protocol === 'https:' ? https : http;
    return client
      .request(url, {
        method,
        // Another `host` would also be the name that the certificate is checked against.
        headers: { ...headers, host: url.host, 'accept-encoding': 'identity' },
        agent: client === https ? encrypted : plain,
      })
      .end(body);
  }

  function begin(exchange: Exchange): { request: http.ClientRequest; url: URL } {
    const target = checkTargetUrl(exchange.url, { allowLoopback, maxLength });
    if (!target.ok) throw new ExchangeError('address_refused', target.what, target);
    const { url } = target;
    try {
      return { request: start(url, exchange), url };
    } catch (error) {
      throw asExchangeError(error, url.host, 'queue');
    }
  }

  return {
    async open(exchange) {
      const { request, url } = begin(exchange);
      return awaitAnswer(request, url, exchange);
    },
    async request(exchange) {
      const { request, url } = begin(exchange);
      const rawAnswer = watchRawAnswer(request);
      try {
        const { statusCode, headers, message } = await awaitAnswer(request, url, exchange);
        const read = await readBody(message, exchange);
        // The parser ended the answer, or took it to have no body; what came is still known.
        const isLost = read.body.length === 0 && (read.truncated || statusCode === 204);
        const body = (isLost && rawAnswer()?.body.subarray(0, exchange.keepBytes)) || read.body;
        return { statusCode, headers, ...read, body };
      } catch (error) {
        const raw = rawAnswer();
        if (!raw) throw error;
        const body = raw.body.subarray(0, exchange.keepBytes);
        return { ...raw, body, headers: {}, truncated: true };
      }
    },
    close() {
      encrypted.destroy();
      plain.destroy();
    },
  };
}

/** Watches a request until its headers are there; its time limits and signal stay on until the body has ended. */
function awaitAnswer(request: http.ClientRequest, url: URL, exchange: Exchange): Promise<OpenAnswer> {
  const { timeoutMs, headersTimeoutMs, signal } = exchange;
  const { promise, resolve, reject } = Promise.withResolvers<OpenAnswer>();
  let message: IncomingMessage | undefined;
  let stage: Stage = 'queue';

  const explain = (error: unknown) => asExchangeError(error, url.host, stage);
  const fail = (error: ExchangeError) => {
    settle();
    // A request that still waits for a connection would emit its error only once it has got one.
    reject(error);
    (message ?? request).destroy(error);
  };
  const expire = (limitMs: number) => fail(timeoutError(url.host, stage, limitMs));
  const abort = () => fail(new ExchangeError('aborted', `the exchange with ${url.host} was aborted`));
  const whole = setTimeout(expire, timeoutMs, timeoutMs);
  const untilHeaders = headersTimeoutMs && setTimeout(expire, headersTimeoutMs, headersTimeoutMs);
  const settle = () => {
    clearTimeout(whole);
    clearTimeout(untilHeaders);
    signal?.removeEventListener('abort', abort);
  };

  request.on('socket', (socket) => {
    stage = !socket.connecting ? 'headers' : isAddress(dialedHost(url)) ? 'connect' : 'dns';
    if (stage === 'headers') return;
    socket.once('lookup', () => {
      stage = 'connect';
    });
    socket.once('connect', () => {
      stage = url.protocol === 'https:' ? 'tls' : 'headers';
    });
    socket.once('secureConnect', () => {
      stage = 'headers';
    });
  });
  request.on('response', (answer) => {
    message = answer;
    stage = 'body';
    clearTimeout(untilHeaders);
    answer.once('close', settle);
    const { statusCode = 0, headers } = answer;
    resolve({ statusCode, headers, message, explain });
  });
  request.on('error', (error) => fail(explain(error)));
  // A switch of protocols ends the request without an error or an answer.
  request.on('close', () => {
    if (!message) fail(explain(undefined));
  });
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) abort();
  return promise;
}

/** Reads the body as far as it comes. */
async function readBody(message: IncomingMessage, { maxBodyBytes, keepBytes, bodyTimeoutMs }: BodyLimits) {
  const kept: Buffer[] = [];
  let read = 0;
  let whole = false;
  const timeUp = bodyTimeoutMs && setTimeout(() => message.destroy(), bodyTimeoutMs);
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) {
      if (read < keepBytes) kept.push(chunk.subarray(0, keepBytes - read));
      read += chunk.length;
      // Leaving the loop destroys the message, and with it the connection.
      if (read > maxBodyBytes) break;
    }
    whole = read <= keepBytes;
  } catch {
    // The status counts; the part of the body that came is kept.
  } finally {
    clearTimeout(timeUp);
  }
  return { body: Buffer.concat(kept), truncated: !whole };
}
