/**
 * What a refusal by S3 means:
 * - `gone`: the upload does not exist any more;
 * - `denied`: a permission is missing;
 * - `corrupt`: S3 computed another checksum of what it received;
 * - `taken`: an object is at the key already;
 * - `stale-parts`: parts were replaced since they were listed;
 * - `busy`: try the same again.
 */
export type SinkFault = 'gone' | 'denied' | 'corrupt' | 'taken' | 'stale-parts' | 'busy';

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
  BadDigest: 'corrupt',
  InvalidDigest: 'corrupt',
  XAmzContentChecksumMismatch: 'corrupt',
  IncompleteBody: 'corrupt',
  PreconditionFailed: 'taken',
  InvalidPart: 'stale-parts',
  InvalidPartOrder: 'stale-parts',
};

/** The trouble that an error code of S3 stands for. Codes not known here are tried again, a bounded number of times. */
export function sinkTrouble(code: string, status: number): SinkTrouble {
  const fault = FAULTS[code] ?? (status === 412 ? 'taken' : status === 404 ? 'gone' : 'busy');
  return new SinkTrouble(fault, code === '' ? String(status) : code);
}
