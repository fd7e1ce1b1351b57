import { ApiError, ConnectionError } from '../../client/errors.ts';
import { printable } from './text.ts';

/** What the process ends with. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  refused: 4,
  timeout: 5,
  interrupted: 130,
} as const;

/** A command ends with a sentence for people, which says what to do, or a few, one a line, and an exit code. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.failed, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** What a person did wrong on the command line. */
export const usageError = (message: string): Failure => new Failure(message, EXIT.usage);

/** The reason of the signal that Ctrl-C aborts. */
export const interrupted = (): Failure => new Failure('Interrupted.', EXIT.interrupted);

const TLS_REASONS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'Its certificate has expired: renew it.',
  CERT_NOT_YET_VALID: 'Its certificate is not valid yet: check the clock of this machine.',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'Its certificate is self-signed: name the file of its issuer in NODE_EXTRA_CA_CERTS.',
  SELF_SIGNED_CERT_IN_CHAIN:
    'Its certificate comes from an issuer that this machine does not know: name its file in NODE_EXTRA_CA_CERTS.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'Its certificate comes from an issuer that this machine does not know: name its file in NODE_EXTRA_CA_CERTS.',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'Its certificate comes from an issuer that this machine does not know: name its file in NODE_EXTRA_CA_CERTS.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'Its certificate is for another host name: check the address.',
  ERR_SSL_WRONG_VERSION_NUMBER:
    'It does not speak TLS there: give the address with http://, or another port.',
  ERR_SSL_PACKET_LENGTH_TOO_LONG:
    'It does not speak TLS there: give the address with http://, or another port.',
};

const NETWORK_REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens there: check the address, and that the bridge runs.',
  ENOTFOUND: 'There is no such host: check the address.',
  EAI_AGAIN: 'The host name could not be looked up: check your network.',
  ECONNRESET: 'The connection was cut: try again.',
  EHOSTUNREACH: 'The host cannot be reached: check your network.',
  ENETUNREACH: 'The host cannot be reached: check your network.',
};

const OTHER_VERSION =
  'The bridge may be of another version than this command line: update the older one of the two.';

/** Any error as a sentence for people. `url`: of the bridge that was called, if one was. */
export function failureOf(error: unknown, url = 'The bridge'): Failure {
  if (error instanceof Failure) return error;
  // What others said must not look like a separate line.
  const withCause = (message: string, exitCode: number) =>
    new Failure(printable(message), exitCode, { cause: error });
  if (error instanceof ApiError) return withCause(refusal(error, url), exitCodeOf(error.status));
  if (error instanceof ConnectionError) return withCause(...noAnswer(error, url));
  if (error instanceof Error && error.name === 'TimeoutError')
    return withCause('It took too long.', EXIT.timeout);
  const { code = '', path } = error as NodeJS.ErrnoException;
  const reason = FILE_REASONS[code];
  if (code && path) return withCause(`${path}: ${reason ?? `This does not work (${code}).`}`, EXIT.failed);
  // Node names no path where it fails to read or write an open file.
  if (reason) return withCause(reason, EXIT.failed);
  if (error instanceof TypeError)
    return withCause(
      `An answer of ${url} does not have the expected form. ${OTHER_VERSION} (--debug shows more.)`,
      EXIT.failed,
    );
  return withCause(error instanceof Error ? error.message : String(error), EXIT.failed);
}

function exitCodeOf(status: number): number {
  if (status === 404) return EXIT.notFound;
  return status < 500 ? EXIT.refused : EXIT.failed;
}

function refusal({ status, message, call }: ApiError, url: string): string {
  if (status === 401)
    return `${url} does not know the key. Give another one by --key or BRIDGE_API_KEY, or run topaz-bridge login.`;
  if (status === 404 && message.startsWith('There is no /v1/v1/'))
    return `${url} is not the ApiUrl of a bridge: give it without /v1.`;
  if (status === 404 && message.startsWith('There is no /')) return `${message} ${OTHER_VERSION}`;
  if (/^The answer was \d+/.test(message) || message === 'Not Found')
    return `${url} answered ${status} to ${call} and not as a bridge does. Check that the address is the ApiUrl.`;
  // The gateway in front of the bridge says no more than a word or two.
  if (!message.endsWith('.'))
    return `${url} answered ${status} (${message}) to ${call}. ${status < 500 ? 'See topaz-bridge doctor.' : 'Try again in a minute, or see topaz-bridge doctor.'}`;
  return message;
}

function noAnswer(error: ConnectionError, url: string): [string, number] {
  for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof SyntaxError)
      return [
        `${url} answered with something other than JSON. Check that the address is the ApiUrl of a bridge.`,
        EXIT.failed,
      ];
    if (cause.name === 'TimeoutError')
      return [`${url} did not answer in time. Try again, or see topaz-bridge doctor.`, EXIT.timeout];
    const { code = '' } = cause as NodeJS.ErrnoException;
    const reason = TLS_REASONS[code] ?? NETWORK_REASONS[code];
    if (reason) return [`${url} cannot be reached. ${reason}`, EXIT.failed];
  }
  if (rootMessage(error) === 'bad port')
    return [
      `${url} cannot be reached. Its port is reserved for another protocol: check the address.`,
      EXIT.failed,
    ];
  return [
    `${url} cannot be reached: ${rootMessage(error)}. Check the address and your network.`,
    EXIT.failed,
  ];
}

function rootMessage(error: Error): string {
  let root = error;
  while (root.cause instanceof Error) root = root.cause;
  return root.message;
}

const FILE_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'There is no such file or folder.',
  EACCES: 'You may not read or write it.',
  EISDIR: 'This is a folder; give a file.',
  ENOTDIR: 'A part of the path is a file.',
  ENOSPC: 'The disk is full.',
};
