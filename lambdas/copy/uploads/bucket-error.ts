import type { BucketFaultKind } from '../../domain/copying/copy-fault.ts';

/** The bucket failed; `kind` says how. */
export class BucketError extends Error {
  override readonly name = 'BucketError';
  readonly kind: BucketFaultKind;

  /** @param reason a clause for logs and the event's reason: no URL, nothing that S3 sent but its error code */
  constructor(kind: BucketFaultKind, reason: string) {
    super(reason);
    this.kind = kind;
  }
}

const KINDS: Readonly<Record<string, BucketFaultKind>> = {
  NoSuchUpload: 'gone',
  AccessDenied: 'denied',
  AllAccessDisabled: 'denied',
  InvalidAccessKeyId: 'denied',
  NoSuchBucket: 'denied',
  PermanentRedirect: 'denied',
  AuthorizationHeaderMalformed: 'denied',
  RequestTimeTooSkewed: 'unavailable',
  SignatureDoesNotMatch: 'unavailable',
  BadDigest: 'corrupt',
  InvalidDigest: 'corrupt',
  XAmzContentChecksumMismatch: 'corrupt',
  IncompleteBody: 'corrupt',
  PreconditionFailed: 'taken',
  InvalidPart: 'stale-parts',
  InvalidPartOrder: 'stale-parts',
  KeyTooLongError: 'hopeless',
  InvalidArgument: 'hopeless',
  InvalidRequest: 'hopeless',
  InvalidTag: 'hopeless',
  InvalidURI: 'hopeless',
  EntityTooLarge: 'hopeless',
  EntityTooSmall: 'hopeless',
  MetadataTooLarge: 'hopeless',
};

const BY_STATUS: Readonly<Record<number, BucketFaultKind>> = {
  401: 'denied',
  403: 'denied',
  404: 'gone',
  412: 'taken',
};
/** S3 may not use the bucket's key; other errors of KMS pass. */
const KEY_REFUSED = /^KMS\.(Disabled|NotFound|AccessDenied|KMSInvalidState|InvalidKeyUsage)/;

/**
 * The error for a code of S3, or for the status where there is no code: the answer to a HEAD has
 * none. Codes that are not known here are tried again, a bounded number of times.
 */
export function bucketError(code: string, status: number): BucketError {
  const kind =
    (Object.hasOwn(KINDS, code) ? KINDS[code] : undefined) ??
    (KEY_REFUSED.test(code) ? 'denied' : BY_STATUS[status]) ??
    'unavailable';
  return new BucketError(kind, `the bucket answered ${code === '' ? status : code}`);
}

/** The error of an exchange that brought no answer. */
export function exchangeFailed({ code, name }: NodeJS.ErrnoException): BucketError {
  return new BucketError('unavailable', `the connection to the bucket failed (${code ?? name})`);
}
