import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { S3Error } from './errors.ts';
import type { S3Request } from './request.ts';

/** Signature Version 4 as S3 checks it: by the Authorization header, or presigned in the query. */

const ALGORITHM = 'AWS4-HMAC-SHA256';
const MAX_SKEW_MS = 15 * 60_000;
const MAX_EXPIRES_S = 7 * 86_400;

/** The secret key of an access key, or undefined when there is no such key. */
export type Credentials = (accessKeyId: string) => string | undefined;

/** Who signed a request, and what the signature says of its body. */
export type Signer = {
  accessKeyId: string;
  /** `x-amz-content-sha256`: a hex digest, UNSIGNED-PAYLOAD, or one of the STREAMING- forms. */
  payload: string;
  /** What the signatures of an aws-chunked body's chunks go on from. */
  seed: { signature: string; date: string; scope: string; key: Buffer };
};

type Claim = {
  accessKeyId: string;
  /** `YYYYMMDDTHHMMSSZ` */
  date: string;
  scopeDate: string;
  region: string;
  service: string;
  signedHeaders: string[];
  signature: string;
  payload: string;
  presigned: boolean;
};

/** Verifies the signature against the headers as received, `Host` among them. Time in ms. @throws S3Error */
export function authenticate(
  request: S3Request,
  credentials: Credentials,
  region: string,
  now: number,
): Signer {
  const claim = readClaim(request);
  checkScope(claim, region);
  checkTime(request, claim, now);
  checkSignedHeaders(request, claim);
  const secret = credentials(claim.accessKeyId);
  if (secret === undefined) {
    throw new S3Error(
      'InvalidAccessKeyId',
      'The AWS Access Key Id you provided does not exist in our records.',
      {
        AWSAccessKeyId: claim.accessKeyId,
      },
    );
  }
  const scope = `${claim.scopeDate}/${claim.region}/${claim.service}/aws4_request`;
  const canonical = canonicalRequest(request, claim);
  const stringToSign = [ALGORITHM, claim.date, scope, sha256(canonical)].join('\n');
  const key = signingKey(secret, claim);
  if (!sameText(sign(key, stringToSign), claim.signature)) {
    throw new S3Error(
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      { AWSAccessKeyId: claim.accessKeyId, StringToSign: stringToSign, CanonicalRequest: canonical },
    );
  }
  const seed = { signature: claim.signature, date: claim.date, scope, key };
  return { accessKeyId: claim.accessKeyId, payload: claim.payload, seed };
}

/** HMAC-SHA256 in hex. */
export function sign(key: Buffer, stringToSign: string): string {
  return createHmac('sha256', key).update(stringToSign).digest('hex');
}

/** Compares signatures in constant time. */
export function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function readClaim(request: S3Request): Claim {
  const authorization = request.message.headers.authorization;
  const presigned =
    request.param('X-Amz-Algorithm') !== undefined || request.param('X-Amz-Signature') !== undefined;
  if (authorization !== undefined && presigned) {
    throw new S3Error(
      'InvalidArgument',
      'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified',
    );
  }
  if (presigned) return presignedClaim(request);
  if (authorization === undefined) throw new S3Error('AccessDenied', 'Access Denied');
  return headerClaim(request, authorization);
}

function headerClaim(request: S3Request, authorization: string): Claim {
  const match =
    /^AWS4-HMAC-SHA256 +Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$/.exec(
      authorization,
    );
  if (!match) {
    throw new S3Error('AuthorizationHeaderMalformed', 'The authorization header is malformed.');
  }
  const payload = request.header('x-amz-content-sha256');
  if (payload === undefined) {
    throw new S3Error('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
  }
  const date = request.header('x-amz-date');
  if (date === undefined || Number.isNaN(parseDate(date))) {
    throw new S3Error('AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header');
  }
  const credential = parseCredential(match[1]!, 'AuthorizationHeaderMalformed');
  return {
    ...credential,
    date,
    signedHeaders: match[2]!.split(';'),
    signature: match[3]!,
    payload,
    presigned: false,
  };
}

function presignedClaim(request: S3Request): Claim {
  const [algorithm, credential, date, signedHeaders, signature, expires] = [
    'X-Amz-Algorithm',
    'X-Amz-Credential',
    'X-Amz-Date',
    'X-Amz-SignedHeaders',
    'X-Amz-Signature',
    'X-Amz-Expires',
  ].map((name) => request.param(name));
  if (!algorithm || !credential || !date || !signedHeaders || !signature || !expires) {
    throw new S3Error(
      'AuthorizationQueryParametersError',
      'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
    );
  }
  if (algorithm !== ALGORITHM || Number.isNaN(parseDate(date))) {
    throw new S3Error(
      'AuthorizationQueryParametersError',
      `X-Amz-Algorithm must be ${ALGORITHM}, X-Amz-Date ISO 8601`,
    );
  }
  if (!/^\d+$/.test(expires) || Number(expires) < 1 || Number(expires) > MAX_EXPIRES_S) {
    throw new S3Error(
      'AuthorizationQueryParametersError',
      'X-Amz-Expires must be a number between 1 and 604800 seconds (a week)',
    );
  }
  return {
    ...parseCredential(credential, 'AuthorizationQueryParametersError'),
    date,
    signedHeaders: signedHeaders.split(';'),
    signature,
    payload: request.header('x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD',
    presigned: true,
  };
}

type MalformedCode = 'AuthorizationHeaderMalformed' | 'AuthorizationQueryParametersError';

function parseCredential(credential: string, code: MalformedCode) {
  const [accessKeyId, scopeDate, region, service, terminator, ...rest] = credential.split('/');
  if (!accessKeyId || !scopeDate || !region || !service || terminator !== 'aws4_request' || rest.length > 0) {
    throw new S3Error(
      code,
      'The Credential must be of the form <access key>/YYYYMMDD/<region>/s3/aws4_request',
    );
  }
  return { accessKeyId, scopeDate, region, service };
}

function checkScope(claim: Claim, region: string): void {
  const code = claim.presigned ? 'AuthorizationQueryParametersError' : 'AuthorizationHeaderMalformed';
  if (claim.region !== region) {
    throw new S3Error(code, `the region '${claim.region}' is wrong; expecting '${region}'`, {
      Region: region,
    });
  }
  if (claim.service !== 's3') {
    throw new S3Error(code, `incorrect service "${claim.service}". This endpoint belongs to "s3".`);
  }
  if (!claim.date.startsWith(claim.scopeDate)) {
    throw new S3Error(
      code,
      `Invalid credential date "${claim.scopeDate}". It differs from that of "${claim.date}".`,
    );
  }
}

function checkTime(request: S3Request, claim: Claim, now: number): void {
  const signedAt = parseDate(claim.date);
  const serverTime = new Date(now).toISOString();
  if (!claim.presigned) {
    if (Math.abs(now - signedAt) <= MAX_SKEW_MS) return;
    throw new S3Error(
      'RequestTimeTooSkewed',
      'The difference between the request time and the current time is too large.',
      { RequestTime: claim.date, ServerTime: serverTime, MaxAllowedSkewMilliseconds: MAX_SKEW_MS },
    );
  }
  if (signedAt - now > MAX_SKEW_MS) {
    throw new S3Error('AccessDenied', 'Request is not yet valid', { ServerTime: serverTime });
  }
  const expires = Number(request.param('X-Amz-Expires'));
  if (now > signedAt + expires * 1000) {
    throw new S3Error('AccessDenied', 'Request has expired', {
      'X-Amz-Expires': expires,
      Expires: new Date(signedAt + expires * 1000).toISOString(),
      ServerTime: serverTime,
    });
  }
}

function checkSignedHeaders(request: S3Request, claim: Claim): void {
  const unsigned = Object.keys(request.message.headers).filter(
    (name) => (name === 'host' || name.startsWith('x-amz-')) && !claim.signedHeaders.includes(name),
  );
  if (unsigned.length > 0) {
    throw new S3Error('AccessDenied', 'There were headers present in the request which were not signed', {
      HeadersNotSigned: unsigned.join(', '),
    });
  }
}

function canonicalRequest(request: S3Request, claim: Claim): string {
  const path = request.path
    .split('/')
    .map((segment) => encode(decodeURIComponent(segment)))
    .join('/');
  const query = request.query
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a, x], [b, y]) => (a < b || (a === b && x < y) ? -1 : 1))
    .map((pair) => pair.join('='))
    .join('&');
  const headers = claim.signedHeaders.map((name) => {
    const value = String(request.message.headers[name] ?? '');
    return `${name}:${value.trim().replace(/\s+/g, ' ')}\n`;
  });
  return [request.method, path, query, headers.join(''), claim.signedHeaders.join(';'), claim.payload].join(
    '\n',
  );
}

/** Node reads header bytes as latin1; writing them so again hashes the very bytes that were sent. */
function sha256(canonical: string): string {
  return createHash('sha256').update(canonical, 'latin1').digest('hex');
}

function signingKey(secret: string, claim: Claim): Buffer {
  return [claim.scopeDate, claim.region, claim.service, 'aws4_request'].reduce(
    (key, step) => createHmac('sha256', key).update(step).digest(),
    Buffer.from(`AWS4${secret}`),
  );
}

/** RFC 3986: everything but the unreserved characters. */
function encode(value: string): string {
  return encodeURIComponent(value).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** `YYYYMMDDTHHMMSSZ` in ms, or NaN. */
function parseDate(date: string): number {
  const iso = date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
  return iso === date ? Number.NaN : Date.parse(iso);
}
