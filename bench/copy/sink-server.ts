import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { combineCrc32, crc32FromBase64, crc32ToBase64 } from '../../lambdas/domain/copying/crc32.ts';

/**
 * A process that takes what S3 takes, over TLS: computes and checks the CRC-32 of every body, keeps
 * sizes and checksums, and discards the bytes. It asks for no signature.
 */
type Options = { certFile: string; keyFile: string; latencyMs?: number };
type Part = { size: number; crc: number; etag: string };
type Upload = { key: string; parts: Map<number, Part>; meta: Record<string, string> };
type Stored = { size: number; crc: number; etag: string; meta: Record<string, string> };

const { certFile, keyFile, latencyMs = 0 } = JSON.parse(process.argv[2] ?? '{}') as Options;
const uploads = new Map<string, Upload>();
const objects = new Map<string, Stored>();
let received = 0;

const server = https.createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) });
server.requestTimeout = 0;
server.on('request', async (request: IncomingMessage, response: ServerResponse) => {
  try {
    await answer(request, response);
  } catch {
    response.destroy();
  }
});
// `Expect: 100-continue` is answered at once.
server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
  response.writeContinue();
  server.emit('request', request, response);
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'https://sink');
  const [, , ...rest] = decodeURIComponent(url.pathname).split('/');
  const [key, query] = [rest.join('/'), url.searchParams];
  const uploadId = query.get('uploadId') ?? undefined;
  const upload = uploadId === undefined ? undefined : uploads.get(uploadId);
  if (uploadId !== undefined && !upload) return refuse(response, 404, 'NoSuchUpload');
  switch (request.method) {
    case 'PUT': {
      if (key === '') return reply(response, '');
      const body = await readBody(request);
      if (!body) return refuse(response, 400, 'BadDigest');
      await sleep(latencyMs);
      if (upload) upload.parts.set(Number(query.get('partNumber')), body);
      else objects.set(key, { ...body, meta: metaOf(request) });
      response.setHeader('etag', body.etag);
      response.setHeader('x-amz-checksum-crc32', crc32ToBase64(body.crc));
      return reply(response, '');
    }
    case 'POST': {
      const body = await text(request);
      if (query.has('uploads')) {
        const id = randomUUID();
        uploads.set(id, { key, parts: new Map(), meta: metaOf(request) });
        const ids = `<Bucket>b</Bucket><Key>${key}</Key><UploadId>${id}</UploadId>`;
        return reply(response, `<InitiateMultipartUploadResult>${ids}</InitiateMultipartUploadResult>`);
      }
      if (!upload || uploadId === undefined) return refuse(response, 400, 'InvalidRequest');
      const whole = combined(upload, body);
      const stated = request.headers['x-amz-checksum-crc32'];
      const composite = typeof stated === 'string' && stated.includes('-');
      if (!whole || (typeof stated === 'string' && !composite && crc32FromBase64(stated) !== whole.crc)) {
        return refuse(response, 400, 'BadDigest');
      }
      uploads.delete(uploadId);
      objects.set(key, { ...whole, meta: upload.meta });
      const result = `<Bucket>b</Bucket><Key>${key}</Key><ETag>${whole.etag}</ETag>`;
      return reply(response, `<CompleteMultipartUploadResult>${result}</CompleteMultipartUploadResult>`);
    }
    case 'DELETE':
      if (uploadId !== undefined) uploads.delete(uploadId);
      else objects.delete(key);
      response.statusCode = 204;
      return void response.end();
    default:
      return answerRead(response, request.method ?? '', key, query, upload);
  }
}

function answerRead(
  response: ServerResponse,
  method: string,
  key: string,
  query: URLSearchParams,
  upload: Upload | undefined,
): void {
  if (upload) {
    const after = Number(query.get('part-number-marker') ?? 0);
    const most = Number(query.get('max-parts') ?? 1000);
    const all = [...upload.parts].filter(([number]) => number > after).sort(([a], [b]) => a - b);
    const page = all
      .slice(0, most)
      .map(
        ([number, { size, crc, etag }]) =>
          `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag><Size>${size}</Size><ChecksumCRC32>${crc32ToBase64(crc)}</ChecksumCRC32></Part>`,
      );
    const next = all[most - 1]?.[0] ?? 0;
    const more = `<IsTruncated>${all.length > most}</IsTruncated><NextPartNumberMarker>${next}</NextPartNumberMarker>`;
    reply(response, `<ListPartsResult>${more}${page.join('')}</ListPartsResult>`);
    return;
  }
  if (query.has('uploads')) {
    const listed = [...uploads].map(
      ([id, { key }]) => `<Upload><Key>${key}</Key><UploadId>${id}</UploadId></Upload>`,
    );
    reply(response, `<ListMultipartUploadsResult>${listed.join('')}</ListMultipartUploadsResult>`);
    return;
  }
  const object = objects.get(key);
  if (!object) {
    response.statusCode = key === '' ? 200 : 404;
    response.end();
    return;
  }
  response.setHeader('etag', object.etag);
  response.setHeader('last-modified', new Date().toUTCString());
  response.setHeader('x-amz-checksum-crc32', crc32ToBase64(object.crc));
  for (const [name, value] of Object.entries(object.meta)) response.setHeader(name, value);
  response.setHeader('content-length', object.size);
  response.end(method === 'HEAD' ? undefined : Buffer.alloc(0));
}

/** Size and CRC of a body; undefined when it is not what its sender said. */
async function readBody(request: IncomingMessage): Promise<Part | undefined> {
  let [size, crc] = [0, 0];
  const take = (chunk: Buffer) => {
    crc = crc32(chunk, crc);
    size += chunk.length;
    received += chunk.length;
  };
  const chunked =
    /aws-chunked/.test(request.headers['content-encoding'] ?? '') ||
    /^STREAMING/.test(String(request.headers['x-amz-content-sha256']));
  const decode = chunked ? awsChunks(take) : take;
  request.on('data', decode);
  await new Promise((resolve, reject) =>
    request.once('end', resolve).once('error', reject).once('close', resolve),
  );
  if (!request.complete) return undefined;
  const stated = request.headers['x-amz-checksum-crc32'];
  if (typeof stated === 'string' && crc32FromBase64(stated) !== crc) return undefined;
  return { size, crc, etag: `"${crc.toString(16).padStart(32, '0')}"` };
}

/** Takes the data out of an `aws-chunked` body. */
function awsChunks(take: (data: Buffer) => void): (chunk: Buffer) => void {
  let [line, left] = ['', 0];
  return (chunk) => {
    for (let at = 0; at < chunk.length; ) {
      if (left > 0) {
        const data = chunk.subarray(at, at + left);
        take(data);
        left -= data.length;
        at += data.length;
        continue;
      }
      const end = chunk.indexOf(10, at);
      line += chunk.toString('latin1', at, end < 0 ? chunk.length : end);
      at = end < 0 ? chunk.length : end + 1;
      if (end < 0) continue;
      const size = /^([0-9a-f]+)(;|\r?$)/i.exec(line)?.[1];
      left = size === undefined ? 0 : Number.parseInt(size, 16);
      line = '';
    }
  };
}

function combined(upload: Upload, body: string): Stored | undefined {
  const numbers = [...body.matchAll(/<PartNumber>(\d+)<\/PartNumber>/g)].map(([, number]) => Number(number));
  let [size, crc] = [0, 0];
  for (const number of numbers) {
    const part = upload.parts.get(number);
    if (!part) return undefined;
    crc = combineCrc32(crc, part.crc, part.size);
    size += part.size;
  }
  return { size, crc, etag: `"${crc.toString(16)}-${numbers.length}"`, meta: upload.meta };
}

function metaOf(request: IncomingMessage): Record<string, string> {
  const entries = Object.entries(request.headers).filter(([name]) => name.startsWith('x-amz-meta-'));
  return Object.fromEntries(entries) as Record<string, string>;
}

function reply(response: ServerResponse, body: string): void {
  response.setHeader('content-length', Buffer.byteLength(body));
  response.end(body);
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.statusCode = status;
  reply(response, `<Error><Code>${code}</Code></Error>`);
}

process.on('message', (question) => {
  if (question !== 'state') return;
  const stored = [...objects].map(([key, { size, crc }]) => ({ key, size, crc }));
  const open = [...uploads.values()].map(({ key, parts }) => ({
    key,
    parts: [...parts].map(([number, { size, crc }]) => ({ number, size, crc })),
  }));
  process.send?.({ objects: stored, open, received });
});
process.on('disconnect', () => process.exit());
server.listen(0, () => process.send?.({ port: (server.address() as { port: number }).port }));
