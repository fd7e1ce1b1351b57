import { createHash, randomUUID } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Algorithm, Checksum, ChecksumType } from './checksum.ts';

/**
 * Buckets, objects and uploads on disk, with all but the bytes also in memory.
 *
 * Bytes are blobs, written once under a random name; an object is a JSON file that names its blobs in order, so
 * completing an upload copies nothing. Every change is one synchronous write and rename of such a file: it is
 * atomic on disk, and no other request runs between a check and the change. Opening removes what a crash left.
 *
 *     blobs/<id>
 *     buckets/<bucket>/objects/<sha256 of key>.json
 *     buckets/<bucket>/uploads/<upload id>/upload.json, <part number>.json
 */

type Blob = {
  id: string;
  size: number;
};

/** What a client says of an object when it creates it. */
export type ObjectAttributes = {
  /** Standard headers kept with the object, `content-type` among them. */
  headers: Record<string, string>;
  /** `x-amz-meta-*`, without the prefix. */
  metadata: Record<string, string>;
  tags: Record<string, string>;
};

export type StoredObject = ObjectAttributes & {
  key: string;
  /** Without quotes. */
  etag: string;
  size: number;
  /** ms */
  lastModified: number;
  checksum?: Checksum;
  checksumType?: ChecksumType;
  blobs: Blob[];
  /** The multipart upload that made it. */
  uploadId?: string;
};

export type Part = {
  number: number;
  etag: string;
  size: number;
  lastModified: number;
  checksum?: Checksum;
  blob: Blob;
};

type Upload = ObjectAttributes & {
  id: string;
  key: string;
  /** ms */
  initiated: number;
  checksum?: { algorithm: Algorithm; type: ChecksumType };
};

/** An upload with its parts by number. */
export type OpenUpload = Upload & {
  parts: Map<number, Part>;
};

export type Bucket = {
  name: string;
  objects: Map<string, StoredObject>;
  uploads: Map<string, OpenUpload>;
};

export class ObjectStore {
  readonly #dir: string;
  readonly #buckets = new Map<string, Bucket>();
  /** Readers per list of blobs, and the lists to remove when their last reader has ended. */
  readonly #readers = new Map<Blob[], number>();
  readonly #dropped = new Set<Blob[]>();

  /** Opens the store in `dir`, which is created when missing and must not be open elsewhere. */
  constructor(dir: string) {
    this.#dir = dir;
    mkdirSync(join(dir, 'buckets'), { recursive: true });
    mkdirSync(join(dir, 'blobs'), { recursive: true });
    for (const name of readdirSync(join(dir, 'buckets'))) this.#openBucket(name);
    this.#removeOrphans();
  }

  bucket(name: string): Bucket | undefined {
    return this.#buckets.get(name);
  }

  /** Creates a bucket; does nothing when it is there. */
  createBucket(name: string): void {
    if (!this.#buckets.has(name)) this.#openBucket(name);
  }

  /**
   * Creates a blob from what `fill` writes into it, then hands it to `commit`, which makes it part of something.
   * Nothing stays when either throws.
   */
  async writeBlob<Filled extends { size: number }, Result>(
    fill: (write: (batch: Buffer[]) => Promise<unknown>) => Promise<Filled>,
    commit: (blob: Blob, filled: Filled) => Result,
  ): Promise<Result> {
    const id = randomUUID();
    const file = await open(this.#blobPath(id), 'wx');
    try {
      let written = 0;
      const filled = await fill(async (batch) => {
        written += (await file.writev(batch)).bytesWritten;
      });
      await file.close();
      if (written !== filled.size) throw new Error('A blob was written short; is the disk full?');
      return commit({ id, size: filled.size }, filled);
    } catch (error) {
      await file.close();
      await this.#removeBlob(id);
      throw error;
    }
  }

  /** Makes an object visible in place of one under the same key. */
  putObject(bucket: Bucket, object: StoredObject): void {
    const previous = bucket.objects.get(object.key);
    writeJson(this.#objectPath(bucket, object.key), object);
    bucket.objects.set(object.key, object);
    if (previous && previous.blobs !== object.blobs) this.#drop(previous.blobs);
  }

  deleteObject(bucket: Bucket, key: string): void {
    const object = bucket.objects.get(key);
    if (!object) return;
    rmSync(this.#objectPath(bucket, key));
    bucket.objects.delete(key);
    this.#drop(object.blobs);
  }

  /** The bytes `from` to `to` (inclusive) of an object, which a reader sees whole even when it is replaced. */
  async *read({ blobs }: StoredObject, from: number, to: number): AsyncGenerator<Buffer> {
    this.#readers.set(blobs, (this.#readers.get(blobs) ?? 0) + 1);
    try {
      let offset = 0;
      for (const { id, size } of blobs) {
        const start = Math.max(from - offset, 0);
        const end = Math.min(to - offset, size - 1);
        offset += size;
        if (start <= end) {
          yield* createReadStream(this.#blobPath(id), { start, end, highWaterMark: 512 * 1024 });
        }
      }
    } finally {
      const others = this.#readers.get(blobs)! - 1;
      if (others > 0) this.#readers.set(blobs, others);
      else this.#readers.delete(blobs);
      if (others === 0 && this.#dropped.delete(blobs)) this.#drop(blobs);
    }
  }

  createUpload(bucket: Bucket, upload: Upload): void {
    mkdirSync(this.#uploadPath(bucket, upload.id));
    writeJson(this.#uploadPath(bucket, upload.id, 'upload.json'), upload);
    bucket.uploads.set(upload.id, { ...upload, parts: new Map() });
  }

  /** Adds a part to an upload, in place of one with its number. */
  putPart(bucket: Bucket, upload: OpenUpload, part: Part): void {
    const previous = upload.parts.get(part.number);
    writeJson(this.#uploadPath(bucket, upload.id, `${part.number}.json`), part);
    upload.parts.set(part.number, part);
    if (previous) this.#drop([previous.blob]);
  }

  /** Makes the object of an upload: its blobs are those of the named parts, and other parts are deleted. */
  completeUpload(bucket: Bucket, upload: OpenUpload, object: StoredObject): void {
    this.putObject(bucket, object);
    const kept = new Set(object.blobs);
    this.#closeUpload(bucket, upload);
    this.#drop([...upload.parts.values()].map((part) => part.blob).filter((blob) => !kept.has(blob)));
  }

  abortUpload(bucket: Bucket, upload: OpenUpload): void {
    this.#closeUpload(bucket, upload);
    this.#drop([...upload.parts.values()].map((part) => part.blob));
  }

  /** An upload without `upload.json` is none, whatever else of it a crash may leave. */
  #closeUpload(bucket: Bucket, upload: OpenUpload): void {
    rmSync(this.#uploadPath(bucket, upload.id, 'upload.json'));
    bucket.uploads.delete(upload.id);
    rmSync(this.#uploadPath(bucket, upload.id), { recursive: true });
  }

  #drop(blobs: Blob[]): void {
    if (this.#readers.has(blobs)) this.#dropped.add(blobs);
    else for (const { id } of blobs) void this.#removeBlob(id);
  }

  async #removeBlob(id: string): Promise<void> {
    await rm(this.#blobPath(id), { force: true });
  }

  #openBucket(name: string): void {
    const bucket: Bucket = { name, objects: new Map(), uploads: new Map() };
    const path = join(this.#dir, 'buckets', name);
    for (const folder of ['objects', 'uploads']) mkdirSync(join(path, folder), { recursive: true });
    for (const object of readRecords<StoredObject>(join(path, 'objects')))
      bucket.objects.set(object.key, object);
    const completed = new Set([...bucket.objects.values()].map((object) => object.uploadId));
    for (const id of readdirSync(join(path, 'uploads'))) {
      const upload = readUpload(join(path, 'uploads', id));
      if (upload && !completed.has(id)) bucket.uploads.set(id, upload);
      else rmSync(join(path, 'uploads', id), { recursive: true });
    }
    this.#buckets.set(name, bucket);
  }

  /** Removes the blobs that belong to nothing: bodies cut short, and what was replaced or aborted. */
  #removeOrphans(): void {
    const used = new Set<string>();
    for (const bucket of this.#buckets.values()) {
      for (const object of bucket.objects.values()) for (const blob of object.blobs) used.add(blob.id);
      for (const upload of bucket.uploads.values())
        for (const part of upload.parts.values()) used.add(part.blob.id);
    }
    for (const id of readdirSync(join(this.#dir, 'blobs'))) if (!used.has(id)) rmSync(this.#blobPath(id));
  }

  #blobPath(id: string): string {
    return join(this.#dir, 'blobs', id);
  }

  #objectPath(bucket: Bucket, key: string): string {
    const name = createHash('sha256').update(key).digest('hex');
    return join(this.#dir, 'buckets', bucket.name, 'objects', `${name}.json`);
  }

  #uploadPath(bucket: Bucket, id: string, file = ''): string {
    return join(this.#dir, 'buckets', bucket.name, 'uploads', id, file);
  }
}

function writeJson(path: string, record: unknown): void {
  writeFileSync(`${path}.new`, JSON.stringify(record));
  renameSync(`${path}.new`, path);
}

function readRecords<Record>(dir: string): Record[] {
  return readdirSync(dir)
    .filter((file) => file.endsWith('.json') && file !== 'upload.json')
    .map((file) => JSON.parse(readFileSync(join(dir, file), 'utf8')) as Record);
}

function readUpload(dir: string): OpenUpload | undefined {
  const path = join(dir, 'upload.json');
  if (!existsSync(path)) return undefined;
  const upload = JSON.parse(readFileSync(path, 'utf8')) as Upload;
  return { ...upload, parts: new Map(readRecords<Part>(dir).map((part) => [part.number, part])) };
}
