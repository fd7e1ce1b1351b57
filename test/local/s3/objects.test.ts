import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, test } from 'vitest';
import { BUCKET, clientOf, MIB, refusal, startTestS3 } from './s3-fixture.ts';

let s3: ReturnType<typeof clientOf>;
beforeEach(async () => {
  s3 = clientOf(await startTestS3());
});

const put = (Key: string, Body: string | Buffer = Key, more = {}) =>
  s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body, ...more }));
const get = (Key: string, more = {}) => s3.send(new GetObjectCommand({ Bucket: BUCKET, Key, ...more }));
const head = (Key: string, more = {}) => s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key, ...more }));

describe('buckets', () => {
  test('are created once, and creating them again succeeds', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'another' }));
    await s3.send(new CreateBucketCommand({ Bucket: 'another' }));
    await s3.send(new HeadBucketCommand({ Bucket: 'another' }));
  });

  test('need a valid name', async () => {
    expect(await refusal(s3.send(new CreateBucketCommand({ Bucket: 'No_Bucket' })))).toBe(
      'InvalidBucketName 400',
    );
  });

  test('that do not exist are refused by every operation', async () => {
    const Bucket = 'missing';
    expect(await refusal(s3.send(new HeadBucketCommand({ Bucket })))).toBe('NotFound 404');
    expect(await refusal(s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x' })))).toBe(
      'NoSuchBucket 404',
    );
    expect(await refusal(s3.send(new ListObjectsV2Command({ Bucket })))).toBe('NoSuchBucket 404');
  });
});

describe('an object', () => {
  test('comes back byte for byte with what was said of it', async () => {
    const body = randomBytes(3 * MIB + 17);
    const { ETag } = await put('a/b c+ü&<>.mp4', body, {
      ContentType: 'video/mp4',
      CacheControl: 'no-store',
      Metadata: { generation: '3' },
      Tagging: 'project=topaz&kind=video',
    });
    const object = await get('a/b c+ü&<>.mp4');
    expect(Buffer.from(await object.Body!.transformToByteArray()).equals(body)).toBe(true);
    expect(object).toMatchObject({
      ETag,
      ContentType: 'video/mp4',
      CacheControl: 'no-store',
      ContentLength: body.length,
      Metadata: { generation: '3' },
      TagCount: 2,
    });
    expect(ETag).toBe(`"${createHash('md5').update(body).digest('hex')}"`);
  });

  test('may be empty', async () => {
    await put('empty', Buffer.alloc(0));
    const object = await get('empty');
    expect([object.ContentLength, await object.Body!.transformToString()]).toEqual([0, '']);
  });

  test('sent as a stream of the SDK is stored without the framing, under its trailing checksum', async () => {
    const body = randomBytes(2 * MIB);
    await put('streamed', Readable.from([body.subarray(0, MIB), body.subarray(MIB)]) as never, {
      ContentLength: body.length,
      ContentEncoding: 'gzip',
      ChecksumAlgorithm: 'CRC32C',
    });
    const object = await get('streamed', { ChecksumMode: 'ENABLED' });
    expect(object).toMatchObject({ ContentEncoding: 'gzip', ChecksumType: 'FULL_OBJECT' });
    expect(object.ChecksumCRC32C).toMatch(/=$/);
    expect(Buffer.from(await object.Body!.transformToByteArray()).equals(body)).toBe(true);
  });

  test('has its checksum in the head only for those who ask', async () => {
    await put('a', 'hello', { ChecksumAlgorithm: 'SHA256' });
    expect(await head('a')).not.toHaveProperty('ChecksumSHA256');
    expect(await head('a', { ChecksumMode: 'ENABLED' })).toMatchObject({
      ChecksumSHA256: createHash('sha256').update('hello').digest('base64'),
      ChecksumType: 'FULL_OBJECT',
    });
  });

  test('that does not exist is NoSuchKey to read and nothing to delete', async () => {
    expect(await refusal(get('missing'))).toBe('NoSuchKey 404');
    expect(await refusal(head('missing'))).toBe('NotFound 404');
    await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'missing' }));
  });

  test('is gone once deleted', async () => {
    await put('a');
    await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'a' }));
    expect(await refusal(get('a'))).toBe('NoSuchKey 404');
  });

  test('needs a key of at most 1024 bytes, metadata of at most 2 KB and at most 10 tags', async () => {
    expect(await refusal(put('k'.repeat(1025)))).toBe('KeyTooLongError 400');
    expect(await refusal(put('a', 'x', { Metadata: { a: 'x'.repeat(2048) } }))).toBe('MetadataTooLarge 400');
    const tags = Array.from({ length: 11 }, (_, i) => `t${i}=x`).join('&');
    expect(await refusal(put('a', 'x', { Tagging: tags }))).toBe('InvalidTag 400');
  });
});

describe('a range', () => {
  beforeEach(() => put('digits', '0123456789'));

  test.each([
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=8-99', '89', 'bytes 8-9/10'],
    ['bytes=0-0', '0', 'bytes 0-0/10'],
  ])('%s is answered 206 with those bytes', async (Range, text, ContentRange) => {
    const part = await get('digits', { Range });
    expect(part.$metadata.httpStatusCode).toBe(206);
    expect([await part.Body!.transformToString(), part.ContentRange]).toEqual([text, ContentRange]);
  });

  test('beyond the end is refused', async () => {
    expect(await refusal(get('digits', { Range: 'bytes=10-' }))).toBe('InvalidRange 416');
  });

  test('that makes no sense is ignored', async () => {
    const whole = await get('digits', { Range: 'bytes=4-2' });
    expect([whole.$metadata.httpStatusCode, whole.ContentLength]).toEqual([200, 10]);
  });
});

describe('a condition', () => {
  let etag: string;
  beforeEach(async () => {
    etag = (await put('a')).ETag!;
  });

  test('If-Match reads only that version', async () => {
    expect((await get('a', { IfMatch: etag })).ETag).toBe(etag);
    expect(await refusal(get('a', { IfMatch: '"other"' }))).toBe('PreconditionFailed 412');
  });

  test('If-None-Match spares the body of a version one has', async () => {
    expect(await refusal(get('a', { IfNoneMatch: etag }))).toMatch(/304$/);
    expect((await get('a', { IfNoneMatch: '"other"' })).ETag).toBe(etag);
  });

  test('If-None-Match: * writes only what is not there', async () => {
    expect(await refusal(put('a', 'again', { IfNoneMatch: '*' }))).toBe('PreconditionFailed 412');
    await put('new', 'first', { IfNoneMatch: '*' });
    expect(await (await get('a')).Body!.transformToString()).toBe('a');
  });

  test('If-None-Match: * lets exactly one of several simultaneous writers win', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 5 }, (_, i) => refusal(put('race', `${i}`.repeat(MIB), { IfNoneMatch: '*' }))),
    );
    expect(outcomes.sort()).toEqual([...Array(4).fill('PreconditionFailed 412'), 'not refused']);
  });

  test('If-Match writes only over that version', async () => {
    await put('a', 'second', { IfMatch: etag });
    expect(await refusal(put('a', 'third', { IfMatch: etag }))).toBe('PreconditionFailed 412');
    expect(await refusal(put('new', 'x', { IfMatch: etag }))).toBe('NoSuchKey 404');
  });
});

describe('tags', () => {
  test('are kept from the write and replaced as a whole', async () => {
    await put('a', 'x', { Tagging: 'one=1' });
    const read = async () =>
      (await s3.send(new GetObjectTaggingCommand({ Bucket: BUCKET, Key: 'a' }))).TagSet;
    expect(await read()).toEqual([{ Key: 'one', Value: '1' }]);
    const TagSet = [{ Key: 'two & <more>', Value: '' }];
    await s3.send(new PutObjectTaggingCommand({ Bucket: BUCKET, Key: 'a', Tagging: { TagSet } }));
    expect(await read()).toEqual(TagSet);
    await s3.send(new PutObjectTaggingCommand({ Bucket: BUCKET, Key: 'a', Tagging: { TagSet: [] } }));
    expect(await read()).toEqual([]);
    expect(await (await get('a')).Body!.transformToString()).toBe('x');
  });
});

describe('a list', () => {
  const list = (more = {}) => s3.send(new ListObjectsV2Command({ Bucket: BUCKET, ...more }));

  test('is in the order of UTF-8 bytes and pages without loss', async () => {
    const keys = ['b', 'a/2', 'a/10', 'a/1', '\u{1F600}', '\uFF5E', 'a b&c'];
    for (const key of keys) await put(key);
    const seen: string[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await list({ MaxKeys: 2, ContinuationToken });
      seen.push(...(page.Contents ?? []).map((object) => object.Key!));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken);
    expect(seen).toEqual(['a b&c', 'a/1', 'a/10', 'a/2', 'b', '\uFF5E', '\u{1F600}']);
  });

  test('gathers keys below a delimiter and pages over them once', async () => {
    for (const key of ['v/a/1', 'v/a/2', 'v/b', 'v/c/1', 'w']) await put(key);
    const first = await list({ Prefix: 'v/', Delimiter: '/', MaxKeys: 1 });
    expect(first.CommonPrefixes).toEqual([{ Prefix: 'v/a/' }]);
    const rest = await list({ Prefix: 'v/', Delimiter: '/', ContinuationToken: first.NextContinuationToken });
    expect(rest.Contents?.map((object) => object.Key)).toEqual(['v/b']);
    expect(rest.CommonPrefixes).toEqual([{ Prefix: 'v/c/' }]);
    expect(rest.IsTruncated).toBe(false);
  });

  test('begins after a key and shows sizes and ETags', async () => {
    const { ETag } = await put('b', 'four');
    await put('a');
    expect((await list({ StartAfter: 'a' })).Contents).toMatchObject([{ Key: 'b', Size: 4, ETag }]);
  });
});

describe('deleting many', () => {
  test('understands keys of any characters', async () => {
    const Key = 'a&amp;b<c>"\'\n\u{1F600}&#65;';
    await put(Key);
    await s3.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects: [{ Key }] } }));
    expect(await refusal(head(Key))).toBe('NotFound 404');
  });

  test('deletes what is there and reports all', async () => {
    await put('a');
    await put('keep');
    const Objects = [{ Key: 'a' }, { Key: 'not there & <never>' }];
    const { Deleted } = await s3.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects } }));
    expect(Deleted).toEqual(Objects);
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET }));
    expect(Contents?.map((object) => object.Key)).toEqual(['keep']);
  });
});
