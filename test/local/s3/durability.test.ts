import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { startS3 } from '../../../local/s3/server.ts';
import {
  BUCKET,
  CREDENTIALS,
  clientOf,
  MIB,
  signByHand,
  startTestS3,
  temporaryFolder,
} from './s3-fixture.ts';

const Bucket = BUCKET;

const read = async (s3: ReturnType<typeof clientOf>, Key: string) =>
  Buffer.from(await (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToByteArray());

const blobs = (dir: string) => readdirSync(join(dir, 'blobs'));

test('objects and open uploads survive a restart', async () => {
  const dir = temporaryFolder();
  const body = Buffer.alloc(5 * MIB, 'b');
  const before = await startTestS3({ dir });
  let s3 = clientOf(before);
  await s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'kept', Metadata: { of: 'a' } }));
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'b' }));
  const upload = { Bucket, Key: 'b', UploadId };
  await s3.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: body }));
  await before.close();

  s3 = clientOf(await startTestS3({ dir }));
  expect((await read(s3, 'a')).toString()).toBe('kept');
  await s3.send(new UploadPartCommand({ ...upload, PartNumber: 2, Body: 'end' }));
  const { Parts } = await s3.send(new ListPartsCommand(upload));
  await s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
  expect((await read(s3, 'b')).equals(Buffer.concat([body, Buffer.from('end')]))).toBe(true);
});

test('kill -9 in the middle of a replacing write leaves the old object and no litter', async () => {
  const dir = temporaryFolder();
  const program = `
    import { startS3 } from ${JSON.stringify(new URL('../../../local/s3/server.ts', import.meta.url).href)};
    const server = await startS3({
      dir: ${JSON.stringify(dir)}, now: Date.now, credentials: () => ${JSON.stringify(CREDENTIALS.secretAccessKey)},
    });
    server.createBucket(${JSON.stringify(BUCKET)});
    console.log(server.url);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const url = line.toString().trim();
  await clientOf({ url }).send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'old' }));

  const { headers } = signByHand('PUT', `${url}/${BUCKET}/a`, 'UNSIGNED-PAYLOAD', {
    'content-length': '99999999',
  });
  const sending = request(`${url}/${BUCKET}/a`, { method: 'PUT', headers });
  sending.on('error', () => {});
  sending.write(Buffer.alloc(8 * MIB));
  await expect.poll(() => blobs(dir).length).toBe(2);
  child.kill('SIGKILL');
  await once(child, 'exit');

  const s3 = clientOf(await startTestS3({ dir }));
  expect((await read(s3, 'a')).toString()).toBe('old');
  expect(blobs(dir)).toHaveLength(1);
});

test('a crash between completing an upload and clearing it leaves the object alone', async () => {
  const dir = temporaryFolder();
  const before = await startTestS3({ dir });
  const s3 = clientOf(before);
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'a' }));
  const upload = { Bucket, Key: 'a', UploadId };
  await s3.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: 'part' }));
  const { Parts } = await s3.send(new ListPartsCommand(upload));
  await s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
  await before.close();
  const leftover = join(dir, 'buckets', BUCKET, 'uploads', UploadId!);
  mkdirSync(leftover);
  writeFileSync(join(leftover, 'upload.json'), JSON.stringify({ id: UploadId, key: 'a' }));

  const after = clientOf(await startTestS3({ dir }));
  expect((await read(after, 'a')).toString()).toBe('part');
  expect(existsSync(leftover)).toBe(false);
});

test('what is deleted, replaced or refused leaves no bytes', async () => {
  const dir = temporaryFolder();
  const server = await startTestS3({ dir });
  const s3 = clientOf(server);
  const put = (Body: string, more = {}) => s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body, ...more }));
  await put('one');
  await put('two');
  await put('three', { ChecksumCRC32: 'AAAAAA==' }).catch(() => {});
  await expect.poll(() => blobs(dir).length).toBe(1);
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
  await expect.poll(() => blobs(dir).length).toBe(0);
});

test('closing ends what is under way and frees the port', async () => {
  const options = { dir: temporaryFolder(), now: Date.now, credentials: () => CREDENTIALS.secretAccessKey };
  const first = await startS3(options);
  first.createBucket(BUCKET);
  const url = `${first.url}/${BUCKET}/a`;
  const { headers } = signByHand('PUT', url, 'UNSIGNED-PAYLOAD', { 'content-length': '1000' });
  const sending = request(url, { method: 'PUT', headers });
  const failed = once(sending, 'error').catch((error) => error);
  sending.write('x');
  await expect.poll(() => blobs(options.dir).length).toBe(1);
  await first.close();
  await failed;
  expect(blobs(options.dir)).toHaveLength(0);
  const second = await startS3({ ...options, port: Number(new URL(first.url).port) });
  await second.close();
});
