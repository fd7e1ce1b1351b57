import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { crc32 } from 'node:zlib';
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, test } from 'vitest';
import { BUCKET, clientOf, refusal, send, sha256, signByHand, startTestS3 } from './s3-fixture.ts';

const BODY = 'hello';
const CRC32 = Buffer.from(crc32(BODY).toString(16).padStart(8, '0'), 'hex').toString('base64');
const digest = (algorithm: string, body = BODY) => createHash(algorithm).update(body).digest('base64');

let url: string;
let s3: ReturnType<typeof clientOf>;
beforeEach(async () => {
  const server = await startTestS3();
  url = `${server.url}/${BUCKET}/a`;
  s3 = clientOf(server);
});

const put = (headers: Record<string, string>, body = BODY, payload = 'UNSIGNED-PAYLOAD') =>
  send('PUT', url, signByHand('PUT', url, payload, headers).headers, body);
const stored = async () =>
  (await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'a' }))).Body!.transformToString();
const head = () => s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'a', ChecksumMode: 'ENABLED' }));

describe('a body', () => {
  // The check values of the CRC catalog's and S3's own algorithms for "hello", SHA by node:crypto.
  const right: Record<string, string> = {
    'x-amz-checksum-crc32': CRC32,
    'x-amz-checksum-crc32c': 'mnG7TA==',
    'x-amz-checksum-crc64nvme': 'M3eFcAZSQlc=',
    'x-amz-checksum-sha1': digest('sha1'),
    'x-amz-checksum-sha256': digest('sha256'),
    'content-md5': digest('md5'),
  };
  test.each(Object.entries(right))(
    'is taken with its %s and refused with that of another',
    async (name, value) => {
      expect(await put({ [name]: value }, 'other')).toMatchObject({ status: 400, code: 'BadDigest' });
      expect(await refusal(stored())).toBe('NoSuchKey 404');
      expect(await put({ [name]: value })).toMatchObject({ status: 200 });
      expect(await stored()).toBe(BODY);
    },
  );

  test('is refused when it is not what x-amz-content-sha256 says', async () => {
    expect(await put({}, 'other', sha256(BODY))).toMatchObject({
      status: 400,
      code: 'XAmzContentSHA256Mismatch',
    });
    expect(await put({}, BODY, sha256(BODY))).toMatchObject({ status: 200 });
  });

  test('is refused with a malformed checksum or two of them', async () => {
    expect(await put({ 'x-amz-checksum-crc32': 'AA==' })).toMatchObject({
      status: 400,
      code: 'InvalidRequest',
    });
    expect(await put({ 'content-md5': 'AA==' })).toMatchObject({ status: 400, code: 'InvalidDigest' });
    expect(await put({ 'x-amz-checksum-crc32': CRC32, 'x-amz-checksum-sha1': digest('sha1') })).toMatchObject(
      { status: 400, code: 'InvalidRequest' },
    );
    expect(await put({ 'x-amz-sdk-checksum-algorithm': 'CRC32' })).toMatchObject({ code: 'InvalidRequest' });
  });

  test('needs a length', async () => {
    expect(await put({ 'transfer-encoding': 'chunked' })).toMatchObject({
      status: 411,
      code: 'MissingContentLength',
    });
  });

  test('cut off by its sender leaves nothing', async () => {
    const { headers } = signByHand('PUT', url, 'UNSIGNED-PAYLOAD', { 'content-length': '1000000' });
    const outgoing = request(url, { method: 'PUT', headers });
    const ended = new Promise((resolve) => outgoing.on('error', resolve));
    outgoing.write('x'.repeat(1000), () => outgoing.destroy(new Error('gone')));
    await ended;
    expect(await refusal(stored())).toBe('NoSuchKey 404');
  });
});

const CHUNK = 'x'.repeat(8192);
const DATA = `${CHUNK}${BODY}`;
const DATA_CRC32 = Buffer.from(crc32(DATA).toString(16).padStart(8, '0'), 'hex').toString('base64');

describe.each([
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
])('an aws-chunked body by %s', (payload) => {
  const trailing = payload.endsWith('TRAILER');
  const signed = payload.includes('HMAC');

  const putChunks = (
    chunks = [CHUNK, BODY],
    { crc = DATA_CRC32, length = DATA.length, change = (framed: string) => framed } = {},
  ) => {
    const { headers, chunkedBody } = signByHand('PUT', url, payload, {
      'content-encoding': 'aws-chunked',
      'x-amz-decoded-content-length': String(length),
      ...(trailing && { 'x-amz-trailer': 'x-amz-checksum-crc32' }),
    });
    const framed = chunkedBody(chunks, trailing ? { 'x-amz-checksum-crc32': crc } : {});
    return send('PUT', url, headers, change(framed.toString()));
  };

  test('is stored without the framing', async () => {
    expect(await putChunks()).toMatchObject({ status: 200 });
    expect(await stored()).toBe(DATA);
    const { ContentEncoding, ChecksumCRC32 } = await head();
    expect([ContentEncoding, ChecksumCRC32]).toEqual([undefined, trailing ? DATA_CRC32 : undefined]);
  });

  test('is refused with another decoded length', async () => {
    expect(await putChunks(undefined, { length: DATA.length + 1 })).toMatchObject({
      status: 400,
      code: 'IncompleteBody',
    });
  });

  test('is refused when it ends early', async () => {
    expect(await putChunks(undefined, { change: (framed) => framed.slice(0, 8000) })).toMatchObject({
      code: 'IncompleteBody',
    });
  });

  test('is refused with a small chunk before the last', async () => {
    expect(await putChunks([BODY, CHUNK])).toMatchObject({ status: 403, code: 'InvalidChunkSizeError' });
  });

  test('is refused when its framing is broken', async () => {
    expect(await putChunks(undefined, { change: (framed) => framed.replace('2000', '1fff') })).toMatchObject({
      code: signed ? 'SignatureDoesNotMatch' : 'InvalidRequest',
    });
    expect(await putChunks(undefined, { change: (framed) => `?${framed}` })).toMatchObject({
      code: 'InvalidRequest',
    });
  });

  if (signed) {
    test('is refused when a chunk was changed', async () => {
      expect(await putChunks(undefined, { change: (framed) => framed.replace(BODY, 'hallo') })).toMatchObject(
        {
          status: 403,
          code: 'SignatureDoesNotMatch',
        },
      );
    });
  }

  if (trailing) {
    test('is refused with the checksum of another in its trailer', async () => {
      expect(await putChunks(undefined, { crc: CRC32 })).toMatchObject({ status: 400, code: 'BadDigest' });
    });

    test('is refused without the trailer it announced', async () => {
      const change = (framed: string) => framed.replace(/x-amz-checksum-crc32:.*\r\n/, '');
      expect(await putChunks(undefined, { change })).toMatchObject({
        code: signed ? 'SignatureDoesNotMatch' : 'MalformedTrailerError',
      });
    });
  } else {
    test('is refused with a trailer it did not announce', async () => {
      const change = (framed: string) => framed.replace(/\r\n$/, 'x-amz-meta-a:b\r\n\r\n');
      expect(await putChunks(undefined, { change })).toMatchObject({ code: 'MalformedTrailerError' });
    });
  }
});
