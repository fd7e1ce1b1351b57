import net, { type LookupFunction } from 'node:net';
import tls from 'node:tls';
import type { Headers } from '../../domain/copying/source-answer.ts';
import { type AnswerHead, parseHead } from './answer-head.ts';
import { asSourceError, broken } from './source-error.ts';

/** A buffer that is filled from its start; what it holds stays when the connection breaks. */
export type Filling = { readonly bytes: Buffer; filled: number };

type RangeExchange = {
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Where the body goes; it must fill what is left of it exactly. */
  readonly into: Filling;
  /** Judges the answer by its head; throws to refuse its body. */
  readonly judge: (status: number, headers: Headers) => void;
};

type ConnectionOptions = {
  readonly url: URL;
  readonly lookup: LookupFunction;
  readonly ca?: string;
  /** How long the connection may bring no byte before it is given up, ms. */
  readonly stallMs: number;
};

const READ_BYTES = 64 * 1024;
/** As `node:http` has it. */
const MAX_HEAD_BYTES = 16 * 1024;
const isLength = (text: string | undefined): boolean => text !== undefined && /^\d{1,15}$/.test(text);

/** The answer is one that this client does not read (in chunks, say): `node:http` decides what it is. */
export class NotPlain extends Error {
  override readonly name = 'NotPlain';
}

/**
 * One keep-alive connection for ranged GETs, with no stream between the socket and the part's
 * buffer: half the CPU of `node:https` (docs/decisions/copy-http-clients.md). It reads plain
 * HTTP/1.1 answers of a stated length; a differential test holds it to what `node:http` accepts.
 */
export class RangeConnection {
  readonly #socket: net.Socket;
  readonly #host: string;
  #exchange: (RangeExchange & { end: () => void; fail: (error: Error) => void }) | undefined;
  #head: Buffer | undefined;
  #answer: AnswerHead | undefined;
  #received = 0;
  #exchanges = 0;
  #failure: Error | undefined;

  constructor({ url, lookup, ca, stallMs }: ConnectionOptions) {
    this.#host = url.host;
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    const onread = {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback: (length: number, buffer: Uint8Array) => {
        this.#receive(buffer as Buffer, length);
        return true;
      },
    };
    const plain = url.protocol === 'http:';
    const port = url.port === '' ? (plain ? 80 : 443) : Number(url.port);
    // Node's 250 ms would give up on the first address of a host across an ocean.
    const common = { host, port, lookup, onread, autoSelectFamilyAttemptTimeout: 1_000 };
    this.#socket = plain
      ? net.connect(common)
      : tls.connect({
          ...common,
          ca,
          // Stated, so that NODE_TLS_REJECT_UNAUTHORIZED cannot switch it off.
          rejectUnauthorized: true,
          servername: net.isIP(host) ? '' : host,
          ALPNProtocols: ['http/1.1'],
        } as tls.ConnectionOptions);
    this.#socket.setNoDelay(true);
    this.#socket.setTimeout(stallMs, () => this.close(broken(`${url.host} sent nothing for ${stallMs} ms`)));
    this.#socket.on('error', (error) => this.close(asSourceError(error, url.host)));
    this.#socket.on('close', () => this.close(broken(`${url.host} closed the connection too early`)));
  }

  get isOpen(): boolean {
    return this.#failure === undefined;
  }

  /** Whether a failure before the first byte may only mean that the connection had been idle for too long. */
  get mayBeStale(): boolean {
    return this.#exchanges > 1 && this.#received === 0;
  }

  /** Sends one GET and reads its body. Rejects with what `judge` threw, or a SourceError. */
  get(exchange: RangeExchange): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (this.#failure) throw this.#failure;
    this.#exchange = { ...exchange, end: resolve, fail: reject };
    this.#head = undefined;
    this.#answer = undefined;
    this.#received = 0;
    this.#exchanges++;
    const lines = Object.entries({ host: this.#host, ...exchange.headers }).map(([k, v]) => `${k}: ${v}\r\n`);
    this.#socket.ref();
    this.#socket.write(`GET ${exchange.target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
    return promise;
  }

  close(reason: Error = broken('the connection was closed')): void {
    this.#failure ??= reason;
    this.#socket.destroy();
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.fail(this.#failure);
  }

  #receive(buffer: Buffer, length: number): void {
    const exchange = this.#exchange;
    if (!exchange) {
      this.close(broken(`${this.#host} sent what was not asked for`));
      return;
    }
    this.#received += length;
    try {
      const from = this.#answer ? 0 : this.#readHead(exchange, buffer, length);
      if (from < length) this.#readBody(exchange, buffer, from, length);
    } catch (error) {
      this.close(error as Error);
    }
  }

  /** Returns where the body begins in `buffer`. */
  #readHead(exchange: RangeExchange, buffer: Buffer, length: number): number {
    const before = this.#head?.length ?? 0;
    const head = Buffer.concat([this.#head ?? Buffer.alloc(0), buffer.subarray(0, length)]);
    const end = head.indexOf('\r\n\r\n');
    if ((end < 0 ? head.length : end) > MAX_HEAD_BYTES)
      throw broken(`${this.#host} sent more than 16 KiB of headers`);
    if (end < 0) {
      this.#head = head;
      return length;
    }
    const answer = parseHead(head.toString('latin1', 0, end));
    if (!answer) throw new NotPlain(`${this.#host} does not answer in plain HTTP/1.1`);
    if (answer.status === 101) throw broken(`${this.#host} switched protocols without being asked`);
    // An interim answer: the real one follows.
    if (answer.status >= 100 && answer.status < 200) {
      this.#head = undefined;
      const next = end + 4 - before;
      return next < length ? next + this.#readHead(exchange, buffer.subarray(next), length - next) : length;
    }
    exchange.judge(answer.status, answer.headers);
    if (answer.headers['transfer-encoding'] !== undefined) throw new NotPlain('a chunked answer');
    const announced = answer.headers['content-length'];
    if (!isLength(announced)) throw new NotPlain('an answer without length');
    if (Number(announced) !== exchange.into.bytes.length - exchange.into.filled)
      throw broken(`${this.#host} announced another length than that of the range`);
    this.#answer = answer;
    return end + 4 - before;
  }

  #readBody(exchange: RangeExchange, buffer: Buffer, from: number, length: number): void {
    const { into } = exchange;
    if (length - from > into.bytes.length - into.filled)
      throw broken(`${this.#host} sent more than the range`);
    buffer.copy(into.bytes, into.filled, from, length);
    into.filled += length - from;
    if (into.filled === into.bytes.length) this.#finish();
  }

  #finish(): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    // An idle connection keeps no process alive.
    this.#socket.unref();
    if (/\bclose\b/i.test(String(this.#answer?.headers.connection ?? ''))) this.close();
    exchange?.end();
  }
}
