import { S3Error } from './errors.ts';
import { type Call, countParam, findBucket, isoTime, type Reply } from './operation.ts';
import { element, group, xmlDocument } from './xml.ts';

/** @throws S3Error InvalidBucketName */
export function checkBucketName(name: string): void {
  if (/^[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]$/.test(name) && !/^[\d.]+$/.test(name)) return;
  throw new S3Error('InvalidBucketName', 'The specified bucket is not valid.', { BucketName: name });
}

/** Creates a bucket; one's own existing bucket is a success, as in us-east-1. */
export function createBucket({ request, store }: Call): Reply {
  checkBucketName(request.bucket);
  store.createBucket(request.bucket);
  return { headers: { location: `/${request.bucket}` } };
}

export function headBucket(call: Call): Reply {
  findBucket(call);
  return {};
}

/** A line of a list: a key, or a common prefix that stands for all keys below it. */
type Entry = {
  name: string;
  isPrefix: boolean;
};

/** ListObjectsV2. */
export function listObjects(call: Call): Reply {
  const { request } = call;
  const { name, objects } = findBucket(call);
  const prefix = request.param('prefix') ?? '';
  const delimiter = request.param('delimiter') ?? '';
  const maxKeys = countParam(request, 'max-keys', 1000);
  const token = request.param('continuation-token');
  const startAfter = request.param('start-after');
  const encode = keyEncoder(call);

  const isLater = token === undefined ? (key: string) => isAfter(key, startAfter ?? '') : afterToken(token);
  const keys = sortKeys([...objects.keys()].filter((key) => key.startsWith(prefix) && isLater(key)));
  const entries = groupByDelimiter(keys, prefix, delimiter);
  const page = entries.slice(0, maxKeys);
  const isTruncated = maxKeys > 0 && entries.length > page.length;
  const lines = page.map((entry) => {
    const object = objects.get(entry.name);
    if (entry.isPrefix || !object) return group('CommonPrefixes', element('Prefix', encode(entry.name)));
    return group(
      'Contents',
      element('Key', encode(object.key)),
      element('LastModified', isoTime(object.lastModified)),
      element('ETag', `"${object.etag}"`),
      element('ChecksumAlgorithm', object.checksum?.algorithm),
      element('ChecksumType', object.checksumType),
      element('Size', object.size),
      element('StorageClass', 'STANDARD'),
    );
  });
  const body = xmlDocument(
    'ListBucketResult',
    element('Name', name),
    element('Prefix', encode(prefix)),
    element('Delimiter', delimiter === '' ? undefined : encode(delimiter)),
    element('EncodingType', request.param('encoding-type')),
    element('MaxKeys', maxKeys),
    element('KeyCount', page.length),
    element('IsTruncated', isTruncated),
    element('ContinuationToken', token),
    element('NextContinuationToken', isTruncated ? tokenAfter(page.at(-1)!) : undefined),
    element('StartAfter', startAfter),
    ...lines,
  );
  return { body };
}

/** Keys in S3's order, that of their UTF-8 bytes. */
export function sortKeys(keys: string[]): string[] {
  return keys
    .map((key) => Buffer.from(key))
    .sort(Buffer.compare)
    .map((bytes) => bytes.toString());
}

/** How a list writes keys: as they are, or with `encoding-type=url` percent-encoded except slashes. */
export function keyEncoder({ request }: Call): (key: string) => string {
  const type = request.param('encoding-type');
  if (type === undefined) return (key) => key;
  if (type !== 'url') throw new S3Error('InvalidArgument', 'Invalid Encoding Method specified in Request');
  return (key) => encodeURIComponent(key).replaceAll('%2F', '/');
}

function groupByDelimiter(keys: string[], prefix: string, delimiter: string): Entry[] {
  const entries: Entry[] = [];
  for (const key of keys) {
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    if (end < 0) entries.push({ name: key, isPrefix: false });
    else {
      const name = key.slice(0, end + delimiter.length);
      if (entries.at(-1)?.name !== name) entries.push({ name, isPrefix: true });
    }
  }
  return entries;
}

function tokenAfter({ name, isPrefix }: Entry): string {
  return Buffer.from((isPrefix ? 'P' : 'K') + name).toString('base64url');
}

/** Whether a key comes after the last entry of the page before. */
function afterToken(token: string): (key: string) => boolean {
  const [kind, ...rest] = Buffer.from(token, 'base64url').toString();
  const name = rest.join('');
  if (kind !== 'K' && kind !== 'P') {
    throw new S3Error('InvalidArgument', 'The continuation token provided is incorrect');
  }
  return (key) => isAfter(key, name) && !(kind === 'P' && key.startsWith(name));
}

function isAfter(key: string, other: string): boolean {
  return Buffer.compare(Buffer.from(key), Buffer.from(other)) > 0;
}
