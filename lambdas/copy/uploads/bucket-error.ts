/**
 * What a refusal by S3 means:
 * - `gone`: the upload does not exist any more;
 * - `denied`: a permission is missing, or the key's use, or the bucket is not where it is looked for;
 * - `corrupt`: S3 computed another checksum of what it received;
 * - `taken`: an object is at the key already;
 * - `stale-parts`: parts were replaced since they were listed;
 * - `hopeless`: the same again can never work;
 * - `busy`: try the same again.
 */
export type SinkFault = 'gone' | 'denied' | 'corrupt' | 'taken' | 'stale-parts' | 'hopeless' | 'busy';

export class SinkTrouble extends Error {
  override readonly name = 'SinkTrouble';
  readonly fault: SinkFault;

  constructor(fault: SinkFault, code: string) {
    super(`the bucket answered ${code}`);
    this.fault = fault;
  }
}

const FAULTS: Readonly<Record<string, SinkFault>> = {
  NoSuchUpload: 'gone',
  AccessDenied: 'denied',
  AllAccessDisabled: 'denied',
  InvalidAccessKeyId: 'denied',
  NoSuchBucket: 'denied',
  PermanentRedirect: 'denied',
  AuthorizationHeaderMalformed: 'denied',
  RequestTimeTooSkewed: 'busy',
  SignatureDoesNotMatch: 'busy',
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

const BY_STATUS: Readonly<Record<number, SinkFault>> = {
  401: 'denied',
  403: 'denied',
  404: 'gone',
  412: 'taken',
};
/** S3 may not use the bucket's key; other troubles of KMS pass. */
const KEY_REFUSED = /^KMS\.(Disabled|NotFound|AccessDenied|KMSInvalidState|InvalidKeyUsage)/;

/**
 * The trouble that an error code of S3 stands for, or the status where there is no code: the answer
 * to a HEAD has none. Those not known here are tried again, a bounded number of times.
 */
export function sinkTrouble(code: string, status: number): SinkTrouble {
  const fault = FAULTS[code] ?? (KEY_REFUSED.test(code) ? 'denied' : BY_STATUS[status]) ?? 'busy';
  return new SinkTrouble(fault, code === '' ? String(status) : code);
}
