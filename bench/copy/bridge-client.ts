import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { createBuffers } from '../../lambdas/copy/buffers.ts';
import { wholeCrc } from '../../lambdas/copy/complete-copy.ts';
import { copyParts } from '../../lambdas/copy/copy-parts.ts';
import { createSource } from '../../lambdas/copy/source/source.ts';
import { createPartSender } from '../../lambdas/copy/uploads/part-sender.ts';
import { createUploads, UPLOADS_CLIENT } from '../../lambdas/copy/uploads/uploads.ts';
import {
  concurrencyFor,
  MIN_PART_BYTES,
  partRange,
  planCopy,
} from '../../lambdas/domain/copying/copy-plan.ts';

/**
 * A process that copies one file by the bridge's engine, as one worker of a function of this memory:
 * the rows are left out, the wire is as deployed.
 */
const LIMITS = { memoryMiB: 512, minPartBytes: MIN_PART_BYTES };
const [sourceUrl = '', sinkUrl = '', key = ''] = process.argv.slice(2);
const ca = readFileSync(process.env.NODE_EXTRA_CA_CERTS ?? '', 'utf8');
const client = new S3Client({ ...UPLOADS_CLIENT, endpoint: sinkUrl, forcePathStyle: true });
const source = createSource({ allowLoopback: true, now: Date.now, ca });
const uploads = createUploads(client);
const sender = createPartSender({ ca });
const { signal } = new AbortController();

const { size = 0, etag } = await source.probe(sourceUrl, signal);
const plan = planCopy(size, LIMITS);
const target = { bucket: 'videos', key };
const id = await uploads.begin(target, { requestId: key, copyId: key, generation: 1 }, 'video/mp4');
const place = { ...target, uploadId: id };
const jobs = Array.from({ length: plan.parts }, (_, i) => ({
  number: i + 1,
  ...partRange(i + 1, { ...plan, size }),
}));
await copyParts(jobs, {
  route: {
    fetch: (range, into) => source.read(sourceUrl, range, { size, etag }, into, signal),
    store: async (part, body, crc) => {
      await sender.send(await uploads.signPart(place, part, crc), body, signal);
    },
  },
  concurrency: concurrencyFor(plan.partSize, LIMITS),
  buffers: createBuffers(),
  signal,
  deadline: Number.POSITIVE_INFINITY,
  now: Date.now,
  sleep,
  onStored: () => {},
});
const parts = await uploads.parts(place, 1, plan.parts);
await uploads.complete(place, parts, { crc: wholeCrc(parts), size });
source.close();
sender.close();
client.destroy();
