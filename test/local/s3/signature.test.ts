import type { IncomingMessage } from 'node:http';
import {
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { beforeEach, describe, expect, test } from 'vitest';
import { parseRequest } from '../../../local/s3/request.ts';
import { authenticate } from '../../../local/s3/signature.ts';
import {
  BUCKET,
  CREDENTIALS,
  clientOf,
  refusal,
  send,
  sha256,
  signByHand,
  startTestS3,
} from './s3-fixture.ts';

const MINUTE = 60_000;

/** What AWS's documentation signs its examples with ("Signature Calculations for the Authorization Header"). */
const EXAMPLE = {
  id: 'AKIAIOSFODNN7EXAMPLE',
  secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  at: Date.UTC(2013, 4, 24),
};

const authenticateExample = (method: string, url: string, headers: Record<string, string>) =>
  authenticate(
    parseRequest({
      method,
      url,
      headers: { host: 'examplebucket.s3.amazonaws.com', ...headers },
    } as unknown as IncomingMessage),
    (id) => (id === EXAMPLE.id ? EXAMPLE.secret : undefined),
    'us-east-1',
    EXAMPLE.at,
  );

const EXAMPLE_SCOPE = `${EXAMPLE.id}/20130524/us-east-1/s3/aws4_request`;

describe("the examples of AWS's documentation verify", () => {
  test('as GET with a range', () => {
    const signer = authenticateExample('GET', '/test.txt', {
      range: 'bytes=0-9',
      'x-amz-content-sha256': sha256(''),
      'x-amz-date': '20130524T000000Z',
      authorization: `AWS4-HMAC-SHA256 Credential=${EXAMPLE_SCOPE},SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41`,
    });
    expect(signer.accessKeyId).toBe(EXAMPLE.id);
  });

  test('as list with query parameters', () => {
    authenticateExample('GET', '/?max-keys=2&prefix=J', {
      'x-amz-content-sha256': sha256(''),
      'x-amz-date': '20130524T000000Z',
      authorization: `AWS4-HMAC-SHA256 Credential=${EXAMPLE_SCOPE},SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7`,
    });
  });

  test('as presigned URL', () => {
    const credential = encodeURIComponent(EXAMPLE_SCOPE);
    authenticateExample(
      'GET',
      `/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${credential}&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404`,
      {},
    );
  });
});

describe('a request', () => {
  let url: string;
  beforeEach(async () => {
    ({ url } = await startTestS3());
  });
  const list = new ListObjectsV2Command({ Bucket: BUCKET });

  test('signed with the wrong secret is refused', async () => {
    const s3 = clientOf({ url }, { credentials: { ...CREDENTIALS, secretAccessKey: 'wrong' } });
    expect(await refusal(s3.send(list))).toBe('SignatureDoesNotMatch 403');
  });

  test('of an unknown access key is refused', async () => {
    const s3 = clientOf({ url }, { credentials: { accessKeyId: 'nobody', secretAccessKey: 'x' } });
    expect(await refusal(s3.send(list))).toBe('InvalidAccessKeyId 403');
  });

  test('without a signature is refused', async () => {
    expect(await send('GET', `${url}/${BUCKET}/a`)).toMatchObject({ status: 403, code: 'AccessDenied' });
  });

  test('for another region is refused', async () => {
    expect(await refusal(clientOf({ url }, { region: 'eu-west-1' }).send(list))).toBe(
      'AuthorizationHeaderMalformed 400',
    );
  });

  test.each([-16, 16])('by a clock that is %i minutes off is refused', async (minutes) => {
    const s3 = clientOf({ url }, { systemClockOffset: minutes * MINUTE });
    expect(await refusal(s3.send(list))).toBe('RequestTimeTooSkewed 403');
  });

  test('that was changed on the way is refused', async () => {
    const { headers } = signByHand('PUT', `${url}/${BUCKET}/a`, 'UNSIGNED-PAYLOAD', {
      'content-type': 'a/b',
    });
    expect(await send('PUT', `${url}/${BUCKET}/b`, headers, 'x')).toMatchObject({
      code: 'SignatureDoesNotMatch',
    });
    expect(await send('PUT', `${url}/${BUCKET}/a`, { ...headers, 'content-type': 'c/d' }, 'x')).toMatchObject(
      { code: 'SignatureDoesNotMatch' },
    );
    expect(await send('PUT', `${url}/${BUCKET}/a`, headers, 'x')).toMatchObject({ status: 200 });
  });

  test('is verified against the Host header it came with, wherever it arrived', async () => {
    const { headers } = signByHand('PUT', `http://front-door:1234/${BUCKET}/a`, 'UNSIGNED-PAYLOAD');
    expect(await send('PUT', `${url}/${BUCKET}/a`, headers, 'x')).toMatchObject({ status: 200 });
    expect(await send('PUT', `${url}/${BUCKET}/a`, { ...headers, host: 'other' }, 'x')).toMatchObject({
      code: 'SignatureDoesNotMatch',
    });
  });

  test('with an x-amz- header outside the signature is refused', async () => {
    const { headers } = signByHand('PUT', `${url}/${BUCKET}/a`, 'UNSIGNED-PAYLOAD');
    expect(
      await send('PUT', `${url}/${BUCKET}/a`, { ...headers, 'x-amz-meta-role': 'admin' }, 'x'),
    ).toMatchObject({ status: 403, code: 'AccessDenied' });
  });

  test('for what is not implemented is refused by name', async () => {
    const copy = signByHand('PUT', `${url}/${BUCKET}/a`, 'UNSIGNED-PAYLOAD', { 'x-amz-copy-source': '/b/c' });
    const answer = await send('PUT', `${url}/${BUCKET}/a`, copy.headers, '');
    expect(answer).toMatchObject({ status: 501, code: 'NotImplemented' });
    expect(answer.body).toContain('x-amz-copy-source');
  });
});

describe('a presigned URL', () => {
  let clock: number;
  let s3: ReturnType<typeof clientOf>;
  beforeEach(async () => {
    clock = Math.floor(Date.now() / 1000) * 1000;
    s3 = clientOf(await startTestS3({ now: () => clock }));
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'a b/ü.mp4', Body: '0123456789' }));
  });
  const signGet = (more = {}, expiresIn = 900) =>
    getSignedUrl(s3, new GetObjectCommand({ Bucket: BUCKET, Key: 'a b/ü.mp4', ...more }), {
      expiresIn,
      signingDate: new Date(clock),
    });

  test('opens without headers, whole, by range and with the names it asks for', async () => {
    const url = await signGet({
      ResponseContentDisposition: 'attachment; filename="v (1).mp4"',
      ResponseContentType: 'video/mp4',
    });
    expect(await send('GET', url)).toMatchObject({
      status: 200,
      body: '0123456789',
      headers: { 'content-disposition': 'attachment; filename="v (1).mp4"', 'content-type': 'video/mp4' },
    });
    expect(await send('GET', url, { range: 'bytes=2-3' })).toMatchObject({ status: 206, body: '23' });
  });

  test('opens until its last second and then has expired', async () => {
    const url = await signGet({}, 60);
    clock += 60_000;
    expect(await send('GET', url)).toMatchObject({ status: 200 });
    clock += 1;
    const answer = await send('GET', url);
    expect(answer).toMatchObject({ status: 403, code: 'AccessDenied' });
    expect(answer.body).toContain('<Message>Request has expired</Message>');
  });

  test('does not open before its time', async () => {
    const url = await signGet();
    clock -= 20 * MINUTE;
    expect((await send('GET', url)).body).toContain('<Message>Request is not yet valid</Message>');
  });

  test('opens nothing else, neither another key nor another method', async () => {
    const url = await signGet();
    expect(await send('GET', url.replace('.mp4', '.mov'))).toMatchObject({ code: 'SignatureDoesNotMatch' });
    expect(await send('DELETE', url)).toMatchObject({ code: 'SignatureDoesNotMatch' });
    expect(await send('GET', `${url}&response-content-type=text/html`)).toMatchObject({
      code: 'SignatureDoesNotMatch',
    });
  });

  test('may last a week at most', async () => {
    const url = (await signGet()).replace('X-Amz-Expires=900', 'X-Amz-Expires=604801');
    expect(await send('GET', url)).toMatchObject({ status: 400, code: 'AuthorizationQueryParametersError' });
  });

  test('together with an Authorization header is refused', async () => {
    const url = await signGet();
    const { headers } = signByHand('GET', url, 'UNSIGNED-PAYLOAD');
    expect(await send('GET', url, headers)).toMatchObject({ status: 400, code: 'InvalidArgument' });
  });

  test('takes a body whose checksum is in the URL, and no other', async () => {
    const upload = new PutObjectCommand({ Bucket: BUCKET, Key: 'new', ChecksumCRC32: 'NhCmhg==' });
    const url = await getSignedUrl(s3, upload, { signingDate: new Date(clock) });
    expect(url).toContain('x-amz-checksum-crc32');
    expect(await send('PUT', url, {}, 'other')).toMatchObject({ status: 400, code: 'BadDigest' });
    expect(await send('PUT', url, {}, 'hello')).toMatchObject({ status: 200 });
  });

  test('for a part of no upload is refused as such', async () => {
    const part = new UploadPartCommand({ Bucket: BUCKET, Key: 'new', UploadId: 'gone', PartNumber: 1 });
    const url = await getSignedUrl(
      clientOf(
        { url: (await signGet()).split('/', 3).join('/') },
        { requestChecksumCalculation: 'WHEN_REQUIRED' },
      ),
      part,
      {
        signingDate: new Date(clock),
      },
    );
    expect(await send('PUT', url, {}, 'x')).toMatchObject({ status: 404, code: 'NoSuchUpload' });
  });
});
