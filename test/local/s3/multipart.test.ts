import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { beforeEach, describe, expect, test } from 'vitest';
import { BUCKET, clientOf, MIB, refusal, startTestS3 } from './s3-fixture.ts';

const Key = 'a/video.mp4';
const FIRST = randomBytes(5 * MIB);
const SECOND = randomBytes(5 * MIB + 1);
const LAST = randomBytes(123);
const WHOLE = Buffer.concat([FIRST, SECOND, LAST]);

let s3: ReturnType<typeof clientOf>;
let conflicts: boolean;
beforeEach(async () => {
  conflicts = false;
  s3 = clientOf(await startTestS3({ conflicts: () => conflicts }));
});

const crcOf = (data: Buffer) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(data));
  return bytes.toString('base64');
};

async function create(more: Partial<CreateMultipartUploadCommandInput> = {}) {
  const created = await s3.send(
    new CreateMultipartUploadCommand({
      Bucket: BUCKET,
      Key,
      ChecksumAlgorithm: 'CRC32',
      ChecksumType: 'FULL_OBJECT',
      ...more,
    }),
  );
  return { ...created, Bucket: BUCKET, Key, UploadId: created.UploadId! };
}
type Target = Awaited<ReturnType<typeof create>>;

const target = ({ Bucket, Key, UploadId }: Target) => ({ Bucket, Key, UploadId });

const uploadPart = (upload: Target, PartNumber: number, Body: Buffer, more = {}) =>
  s3.send(new UploadPartCommand({ ...target(upload), PartNumber, Body, ...more }));

async function uploadAll(
  upload: Target,
  bodies = [FIRST, SECOND, LAST],
  more = {},
): Promise<CompletedPart[]> {
  const parts: CompletedPart[] = [];
  for (const [index, body] of bodies.entries()) {
    const { ETag, ChecksumCRC32 } = await uploadPart(upload, index + 1, body, more);
    parts.push({ PartNumber: index + 1, ETag, ChecksumCRC32 });
  }
  return parts;
}

const complete = (upload: Target, Parts: CompletedPart[], more = {}) =>
  s3.send(new CompleteMultipartUploadCommand({ ...target(upload), MultipartUpload: { Parts }, ...more }));

const getBytes = async (more = {}) =>
  Buffer.from(
    await (
      await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key, ...more }))
    ).Body!.transformToByteArray(),
  );

describe('a multipart upload', () => {
  test('becomes one object with the combined checksum, its metadata, type and tags', async () => {
    const upload = await create({
      ContentType: 'video/mp4',
      Metadata: { generation: '2' },
      Tagging: 'kind=video',
    });
    expect(upload).toMatchObject({ ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' });
    const parts = await uploadAll(upload);
    const completed = await complete(upload, parts, {
      ChecksumCRC32: crcOf(WHOLE),
      ChecksumType: 'FULL_OBJECT',
      MpuObjectSize: WHOLE.length,
      IfNoneMatch: '*',
    });
    const md5s = parts.map((part) => Buffer.from(part.ETag!.slice(1, -1), 'hex'));
    expect(completed).toMatchObject({
      ETag: `"${createHash('md5').update(Buffer.concat(md5s)).digest('hex')}-3"`,
      ChecksumCRC32: crcOf(WHOLE),
      ChecksumType: 'FULL_OBJECT',
    });
    const head = await s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key, ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({
      ContentLength: WHOLE.length,
      ContentType: 'video/mp4',
      Metadata: { generation: '2' },
      ChecksumCRC32: crcOf(WHOLE),
      ChecksumType: 'FULL_OBJECT',
      ETag: completed.ETag,
    });
    expect((await s3.send(new GetObjectTaggingCommand({ Bucket: BUCKET, Key }))).TagSet).toEqual([
      { Key: 'kind', Value: 'video' },
    ]);
    expect((await getBytes()).equals(WHOLE)).toBe(true);
  });

  test('is read by ranges across its parts', async () => {
    const upload = await create();
    await complete(upload, await uploadAll(upload));
    const from = FIRST.length - 10;
    const to = FIRST.length + SECOND.length + 5;
    expect((await getBytes({ Range: `bytes=${from}-${to}` })).equals(WHOLE.subarray(from, to + 1))).toBe(
      true,
    );
  });

  test('is read whole by those who began before it was replaced', async () => {
    const bodies = Array.from({ length: 6 }, () => randomBytes(5 * MIB));
    const upload = await create();
    await complete(upload, await uploadAll(upload, bodies));
    const reading = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'new' }));
    const read = Buffer.from(await reading.Body!.transformToByteArray());
    expect(read.equals(Buffer.concat(bodies))).toBe(true);
    expect((await getBytes()).toString()).toBe('new');
  });

  test('with COMPOSITE checksums bears the checksum of checksums', async () => {
    const upload = await create({ ChecksumType: 'COMPOSITE' });
    const parts = await uploadAll(upload, undefined, { ChecksumAlgorithm: 'CRC32' });
    const { ChecksumCRC32, ChecksumType } = await complete(upload, parts);
    const crcs = parts.map((part) => Buffer.from(part.ChecksumCRC32!, 'base64'));
    expect([ChecksumCRC32, ChecksumType]).toEqual([`${crcOf(Buffer.concat(crcs))}-3`, 'COMPOSITE']);
  });

  test('works for lib-storage as it comes', async () => {
    await new Upload({ client: s3, params: { Bucket: BUCKET, Key, Body: WHOLE }, partSize: 5 * MIB }).done();
    expect((await getBytes()).equals(WHOLE)).toBe(true);
  });

  test('takes a part again in place of the earlier one', async () => {
    const upload = await create();
    const stale = await uploadPart(upload, 1, LAST);
    const fresh = await uploadPart(upload, 1, FIRST);
    expect(await refusal(complete(upload, [{ PartNumber: 1, ETag: stale.ETag }]))).toBe('InvalidPart 400');
    await complete(upload, [{ PartNumber: 1, ETag: fresh.ETag }]);
    expect((await getBytes()).equals(FIRST)).toBe(true);
  });

  test('is invisible until complete, and no upload any more then', async () => {
    const upload = await create();
    const parts = await uploadAll(upload);
    expect(await refusal(getBytes())).toBe('NoSuchKey 404');
    await complete(upload, parts);
    expect(await refusal(uploadPart(upload, 1, LAST))).toBe('NoSuchUpload 404');
  });

  test('can be completed again, with the same answer, until another object takes its place', async () => {
    const upload = await create();
    const parts = await uploadAll(upload);
    const { $metadata: _, ...first } = await complete(upload, parts);
    const { $metadata: __, ...again } = await complete(upload, parts);
    expect(again).toEqual(first);
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'another' }));
    expect(await refusal(complete(upload, parts))).toBe('NoSuchUpload 404');
  });

  test('is gone once aborted', async () => {
    const upload = await create();
    await uploadPart(upload, 1, FIRST);
    const abort = () => s3.send(new AbortMultipartUploadCommand(target(upload)));
    await abort();
    expect(await refusal(abort())).toBe('NoSuchUpload 404');
    expect(await refusal(uploadPart(upload, 2, LAST))).toBe('NoSuchUpload 404');
    expect(await refusal(s3.send(new ListPartsCommand(target(upload))))).toBe('NoSuchUpload 404');
  });

  test('needs an algorithm that can have its checksum type', async () => {
    expect(await refusal(create({ ChecksumAlgorithm: 'SHA256', ChecksumType: 'FULL_OBJECT' }))).toBe(
      'InvalidRequest 400',
    );
    expect(await refusal(create({ ChecksumAlgorithm: 'CRC64NVME', ChecksumType: 'COMPOSITE' }))).toBe(
      'InvalidRequest 400',
    );
  });
});

describe('a part', () => {
  test('has a number from 1 to 10,000', async () => {
    const upload = await create();
    expect(await refusal(uploadPart(upload, 0, LAST))).toBe('InvalidArgument 400');
    expect(await refusal(uploadPart(upload, 10_001, LAST))).toBe('InvalidArgument 400');
  });

  test('states a checksum of the algorithm of its upload', async () => {
    expect(await refusal(uploadPart(await create(), 1, LAST, { ChecksumAlgorithm: 'SHA256' }))).toBe(
      'InvalidRequest 400',
    );
  });

  test('must state a checksum in a COMPOSITE upload', async () => {
    const upload = await create({ ChecksumType: 'COMPOSITE' });
    s3.config.requestChecksumCalculation = async () => 'WHEN_REQUIRED';
    expect(await refusal(uploadPart(upload, 1, LAST))).toBe('InvalidRequest 400');
  });

  test('of an upload without an algorithm is checked by its checksum, which is not kept', async () => {
    const upload = await create({ ChecksumAlgorithm: undefined, ChecksumType: undefined });
    const part = await uploadPart(upload, 1, LAST);
    expect(await refusal(uploadPart(upload, 1, LAST, { ChecksumCRC32: crcOf(FIRST) }))).toBe('BadDigest 400');
    const named = { PartNumber: 1, ETag: part.ETag };
    expect(await refusal(complete(upload, [{ ...named, ChecksumCRC32: crcOf(LAST) }]))).toBe(
      'InvalidPart 400',
    );
    expect(await complete(upload, [named])).not.toHaveProperty('ChecksumCRC32');
  });

  test('with a wrong checksum is refused and not kept', async () => {
    const upload = await create();
    expect(await refusal(uploadPart(upload, 1, LAST, { ChecksumCRC32: crcOf(FIRST) }))).toBe('BadDigest 400');
    expect((await s3.send(new ListPartsCommand(target(upload)))).Parts).toBeUndefined();
  });
});

describe('completing an upload refuses', () => {
  test('parts out of order', async () => {
    const upload = await create();
    const [first, second] = await uploadAll(upload);
    expect(await refusal(complete(upload, [second!, first!]))).toBe('InvalidPartOrder 400');
    expect(await refusal(complete(upload, [first!, first!]))).toBe('InvalidPartOrder 400');
  });

  test('parts that were not uploaded or have another ETag or checksum', async () => {
    const upload = await create();
    const [first, second] = await uploadAll(upload);
    expect(await refusal(complete(upload, [first!, { ...second, PartNumber: 7 }]))).toBe('InvalidPart 400');
    expect(await refusal(complete(upload, [{ ...first, ETag: second!.ETag }]))).toBe('InvalidPart 400');
    expect(await refusal(complete(upload, [{ ...first, ChecksumCRC32: second!.ChecksumCRC32 }]))).toBe(
      'InvalidPart 400',
    );
  });

  test('a part under 5 MiB that is not the last', async () => {
    const upload = await create();
    const parts = await uploadAll(upload, [FIRST.subarray(1), LAST]);
    expect(await refusal(complete(upload, parts))).toBe('EntityTooSmall 400');
  });

  test('another size than the client says, and stays open', async () => {
    const upload = await create();
    const parts = await uploadAll(upload);
    expect(await refusal(complete(upload, parts, { MpuObjectSize: WHOLE.length + 1 }))).toBe(
      'InvalidRequest 400',
    );
    await complete(upload, parts, { MpuObjectSize: WHOLE.length });
  });

  test('another checksum than the client says, and stays open', async () => {
    const upload = await create();
    const parts = await uploadAll(upload);
    expect(await refusal(complete(upload, parts, { ChecksumCRC32: crcOf(FIRST) }))).toBe('BadDigest 400');
    expect(await refusal(getBytes())).toBe('NoSuchKey 404');
    await complete(upload, parts, { ChecksumCRC32: crcOf(WHOLE) });
  });

  test('another checksum type or algorithm than the upload has', async () => {
    const upload = await create();
    const parts = await uploadAll(upload);
    expect(await refusal(complete(upload, parts, { ChecksumType: 'COMPOSITE' }))).toBe('InvalidRequest 400');
    expect(await refusal(complete(upload, parts, { ChecksumCRC32C: crcOf(WHOLE) }))).toBe(
      'InvalidRequest 400',
    );
  });

  test('COMPOSITE parts without their checksums', async () => {
    const upload = await create({ ChecksumType: 'COMPOSITE' });
    const [part] = await uploadAll(upload, [LAST]);
    expect(await refusal(complete(upload, [{ PartNumber: 1, ETag: part!.ETag }]))).toBe('InvalidRequest 400');
  });

  test('a key that is taken when If-None-Match is *, and stays open', async () => {
    const upload = await create();
    const parts = await uploadAll(upload);
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'taken' }));
    expect(await refusal(complete(upload, parts, { IfNoneMatch: '*' }))).toBe('PreconditionFailed 412');
    expect((await getBytes()).toString()).toBe('taken');
    expect((await s3.send(new ListPartsCommand(target(upload)))).Parts).toHaveLength(3);
  });

  test('a key that another write is about to take, and forgets the upload', async () => {
    const upload = await create();
    const parts = await uploadAll(upload);
    conflicts = true;
    expect(await refusal(complete(upload, parts, { IfNoneMatch: '*' }))).toBe(
      'ConditionalRequestConflict 409',
    );
    expect(await refusal(s3.send(new ListPartsCommand(target(upload))))).toBe('NoSuchUpload 404');
  });

  test('no parts at all', async () => {
    expect(await refusal(complete(await create(), []))).toBe('MalformedXML 400');
  });

  test('an upload of another key', async () => {
    const upload = await create();
    const parts = await uploadAll(upload, [LAST]);
    expect(await refusal(complete({ ...upload, Key: 'other' }, parts))).toBe('NoSuchUpload 404');
  });
});

describe('lists', () => {
  test('of parts are in order, paged, with sizes and checksums', async () => {
    const upload = await create();
    for (const number of [10, 2, 1]) await uploadPart(upload, number, LAST);
    const first = await s3.send(new ListPartsCommand({ ...target(upload), MaxParts: 2 }));
    expect(first).toMatchObject({
      IsTruncated: true,
      ChecksumAlgorithm: 'CRC32',
      ChecksumType: 'FULL_OBJECT',
    });
    expect(first.Parts).toMatchObject([
      { PartNumber: 1, Size: LAST.length, ChecksumCRC32: crcOf(LAST) },
      { PartNumber: 2, Size: LAST.length, ChecksumCRC32: crcOf(LAST) },
    ]);
    const rest = await s3.send(
      new ListPartsCommand({ ...target(upload), PartNumberMarker: first.NextPartNumberMarker }),
    );
    expect([rest.IsTruncated, rest.Parts?.map((part) => part.PartNumber)]).toEqual([false, [10]]);
  });

  test('of uploads are by prefix and paged without loss', async () => {
    const uploads = [];
    for (const key of ['a/1', 'a/1', 'a/2', 'b']) uploads.push(await create({ Key: key }));
    const seen: (string | undefined)[] = [];
    let markers = {};
    for (;;) {
      const page = await s3.send(
        new ListMultipartUploadsCommand({ Bucket: BUCKET, Prefix: 'a/', MaxUploads: 1, ...markers }),
      );
      seen.push(...(page.Uploads ?? []).map((upload) => upload.UploadId));
      if (!page.IsTruncated) break;
      markers = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
    }
    expect(seen.slice(0, 2).sort()).toEqual([uploads[0]!.UploadId, uploads[1]!.UploadId].sort());
    expect(seen.slice(2)).toEqual([uploads[2]!.UploadId]);
  });
});
