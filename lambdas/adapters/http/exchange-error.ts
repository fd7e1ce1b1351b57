import { sentence } from '../../domain/http/sentence.ts';

/** How an HTTP exchange failed, as the log of attempts names it. */
type FailureClass =
  /** The bridge must not connect to this URL, or to any of the addresses that its name resolves to. */
  | 'address_refused'
  | 'dns'
  | 'connect_refused'
  | 'connect_timeout'
  | 'unreachable'
  /** Handshake or certificate. */
  | 'tls'
  /** The connection ended before the answer did. */
  | 'reset'
  | 'timeout'
  /** What came back is not HTTP/1.1, or what was to be sent is not. */
  | 'protocol'
  /** The caller's own signal. */
  | 'aborted';

/** How far an exchange has come. */
export type Stage = 'queue' | 'dns' | 'connect' | 'tls' | 'headers' | 'body';

/**
 * The one error of an exchange. Its message names host and remedy only: never the URL's path or query,
 * a header, or anything that the server sent. It has no `cause`, which could carry those.
 */
export class ExchangeError extends Error {
  override readonly name = 'ExchangeError';
  readonly class: FailureClass;
  /** What failed, as a clause. The message is a sentence that adds what the far side can do about it. */
  readonly what: string;
  /** Node's or OpenSSL's code, for example `ECONNRESET`. */
  readonly code: string | undefined;

  constructor(
    failure: FailureClass,
    what: string,
    { remedy, code }: { remedy?: string; code?: string } = {},
  ) {
    super(sentence(what, remedy));
    this.class = failure;
    this.what = what;
    this.code = code;
  }
}

const WAITED_FOR: Record<Stage, string> = {
  queue: 'a free connection',
  dns: 'the name to resolve',
  connect: 'the connection',
  tls: 'the TLS handshake',
  headers: "the answer's headers",
  body: "the answer's body",
};

/** What helps against running out of time. */
const REMEDIES: Record<Stage, string> = {
  queue: 'lower the rate',
  dns: 'check its DNS records',
  connect: 'check its addresses and firewall',
  tls: 'check its TLS set-up',
  headers: 'answer faster',
  body: 'answer faster',
};

/** The error of an exchange that ran out of time, `timeoutMs` being the limit that it met. */
export function timeoutError(host: string, stage: Stage, timeoutMs: number): ExchangeError {
  const failure = stage === 'dns' ? 'dns' : stage === 'connect' ? 'connect_timeout' : 'timeout';
  const what = `${host} took more than ${timeoutMs} ms (waiting for ${WAITED_FOR[stage]})`;
  return new ExchangeError(failure, what, { remedy: REMEDIES[stage], code: 'ETIMEDOUT' });
}

/** The error for a name that could not be resolved, because of `error`. */
export function dnsError(hostname: string, error: unknown): ExchangeError {
  const code = codeOf(error);
  const what = `${hostname} could not be resolved (${code})`;
  return new ExchangeError('dns', what, { remedy: 'check its DNS records', code });
}

/** Any error of `node:http`, `node:tls` or `node:net` as an {@link ExchangeError}. */
export function asExchangeError(error: unknown, host: string, stage: Stage): ExchangeError {
  if (error instanceof ExchangeError) return error;
  const code = codeOf(error);
  const failure = classify(code, stage);
  const { what, remedy } = failure === 'tls' ? tlsFault(host, code, error) : brokenBy(failure, host);
  return new ExchangeError(failure, `${what} (${code})`, { remedy, code });
}

type Fault = { readonly what: string; readonly remedy: string };

const selfSigned = (host: string): Fault => ({
  what: `the certificate of ${host} is self-signed`,
  remedy: 'use one of a well-known authority',
});
const unknownIssuer = (host: string): Fault => ({
  what: `the certificate of ${host} does not lead to a well-known authority`,
  remedy: 'send the intermediate certificates too',
});

/** What is wrong with a certificate, by Node's code. */
const CERTIFICATE_FAULTS: Readonly<Record<string, (host: string) => Fault>> = {
  CERT_HAS_EXPIRED: (host) => ({ what: `the certificate of ${host} has expired`, remedy: 'renew it' }),
  CERT_NOT_YET_VALID: (host) => ({
    what: `the certificate of ${host} is not valid yet`,
    remedy: 'check its dates',
  }),
  CERT_REVOKED: (host) => ({ what: `the certificate of ${host} was revoked`, remedy: 'replace it' }),
  DEPTH_ZERO_SELF_SIGNED_CERT: selfSigned,
  SELF_SIGNED_CERT_IN_CHAIN: selfSigned,
  ERR_TLS_CERT_ALTNAME_INVALID: (host) => ({
    what: `the certificate is for another host than ${host}`,
    remedy: 'use one for this name',
  }),
  UNABLE_TO_GET_ISSUER_CERT: unknownIssuer,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownIssuer,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownIssuer,
};

/** Other codes of certificates: too weak, for another purpose, with a broken chain. */
const OF_CERTIFICATE = /CERT|_CA|CA_|CRL|EE_KEY|PURPOSE/;
/** OpenSSL's names for an answer that is not TLS, under the code `EPROTO`: most often plain HTTP. */
const NO_TLS = /wrong version number|packet length too long/;

function tlsFault(host: string, code: string, error: unknown): Fault {
  const known = CERTIFICATE_FAULTS[code]?.(host);
  if (known) return known;
  if (!code.startsWith('ERR_SSL_') && OF_CERTIFICATE.test(code)) {
    return { what: `the certificate of ${host} is not accepted`, remedy: 'check it and its chain' };
  }
  const message = error instanceof Error ? error.message : '';
  if (NO_TLS.test(message)) {
    return { what: `${host} does not speak TLS on this port`, remedy: 'use the port that takes https' };
  }
  return { what: `TLS with ${host} failed`, remedy: 'support TLS 1.2 or later' };
}

const CONNECTION_LOST = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE']);

function classify(code: string, stage: Stage): FailureClass {
  if (CONNECTION_LOST.has(code)) return 'reset';
  if (stage === 'dns' || stage === 'connect') {
    if (code === 'ECONNREFUSED') return 'connect_refused';
    return code === 'ETIMEDOUT' ? 'connect_timeout' : 'unreachable';
  }
  if (stage === 'tls' || code === 'EPROTO' || code.startsWith('ERR_SSL_')) return 'tls';
  if (code === 'ETIMEDOUT' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return 'reset';
  return 'protocol';
}

function brokenBy(failure: FailureClass, host: string): Fault {
  switch (failure) {
    case 'connect_refused':
      return {
        what: `${host} refused the connection`,
        remedy: 'make sure that a server listens on this port',
      };
    case 'connect_timeout':
    case 'unreachable':
      return { what: `${host} cannot be reached`, remedy: 'check its addresses and firewall' };
    case 'reset':
      return {
        what: `${host} closed the connection before the answer was complete`,
        remedy: "check the server's logs",
      };
    default:
      return {
        what: `the exchange with ${host} is not valid HTTP/1.1`,
        remedy: 'check headers and framing',
      };
  }
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]+$/.test(code) ? code : 'UNKNOWN';
}
