import { element, xmlDocument } from './xml.ts';

/** The HTTP status of each error code, as in AWS's "List of error codes" of the S3 API. */
const STATUS = {
  AccessDenied: 403,
  AuthorizationHeaderMalformed: 400,
  AuthorizationQueryParametersError: 400,
  BadDigest: 400,
  ConditionalRequestConflict: 409,
  EntityTooLarge: 400,
  EntityTooSmall: 400,
  IncompleteBody: 400,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidBucketName: 400,
  InvalidChunkSizeError: 403,
  InvalidDigest: 400,
  InvalidPart: 400,
  InvalidPartOrder: 400,
  InvalidRange: 416,
  InvalidRequest: 400,
  InvalidTag: 400,
  InvalidURI: 400,
  KeyTooLongError: 400,
  MalformedTrailerError: 400,
  MalformedXML: 400,
  MetadataTooLarge: 400,
  MissingContentLength: 411,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NoSuchUpload: 404,
  NotImplemented: 501,
  PreconditionFailed: 412,
  RequestTimeTooSkewed: 403,
  SignatureDoesNotMatch: 403,
  XAmzContentSHA256Mismatch: 400,
} as const;

/** An answer of S3 that refuses a request; `details` become further elements of the error's XML. */
export class S3Error extends Error {
  readonly code: keyof typeof STATUS;
  readonly details: Record<string, string | number>;

  constructor(code: keyof typeof STATUS, message: string, details: Record<string, string | number> = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return STATUS[this.code];
  }

  toXml(requestId: string): string {
    return xmlDocument(
      'Error',
      element('Code', this.code),
      element('Message', this.message),
      ...Object.entries(this.details).map(([name, value]) => element(name, value)),
      element('RequestId', requestId),
    );
  }
}
