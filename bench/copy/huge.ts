import { crc32 } from 'node:zlib';
import type { CopyRow, SegmentRow } from '../../lambdas/domain/copying/copy.ts';
import { partRange } from '../../lambdas/domain/copying/copy-plan.ts';
import { copyKey } from '../../lambdas/domain/rows.ts';
import { generatedSlices } from '../../local/topaz/video.ts';
import type { Certificate } from './certificate.ts';
import { startFleet } from './fleet.ts';
import { onPaper, type Paper } from './paper.ts';
import { startServers } from './servers.ts';

const GIB = 1024 ** 3;
const SIZE = 200 * GIB;
/** As deployed. */
const MEMORY_MIB = 1024;
const WORKERS = 10;

type HugeFigures = {
  paper: Paper;
  segments: string;
  gibCopied: number;
  partsRight: number;
  partsWrong: number;
  litter: number;
};

/** Plans 200 GiB, copies three far-apart segments of it, checks every part of them, and cancels the rest. */
export async function measureHuge(certificate: Certificate): Promise<HugeFigures> {
  const servers = await startServers(certificate);
  const paper = onPaper(SIZE, { workers: WORKERS, memoryMiB: MEMORY_MIB });
  const chosen = [0, Math.floor(paper.segments / 2), paper.segments - 1];
  const fleet = await startFleet(servers, certificate, {
    workers: 2,
    memoryMiB: MEMORY_MIB,
    takes: ({ sk }) => sk === 'COPY' || chosen.includes(Number(sk.split('#')[2])),
  });
  const seed = 'huge';
  const requestId = await fleet.copy(`${servers.sourceUrl}/${seed}/${SIZE}.mp4`);
  const copy = await fleet.table.get<CopyRow>(copyKey(requestId));
  if (!copy?.upload) throw new Error(`the copy was not planned: ${copy?.failure}`);
  const { upload } = copy;
  const { rows } = await fleet.table.query<SegmentRow>({
    partition: copy.pk,
    prefix: 'SEGMENT#',
    limit: 100,
  });
  const { open } = await servers.sink();
  const stored = new Map(open[0]?.parts.map((part) => [part.number, part]));
  let [right, wrong, bytes] = [0, 0, 0];
  for (const { firstPart, lastPart } of rows.filter(({ segment }) => chosen.includes(segment))) {
    for (let number = firstPart; number <= lastPart; number++) {
      const { start, length } = partRange(number, upload);
      let crc = 0;
      for (const slice of generatedSlices(seed, start, start + length)) crc = crc32(slice, crc);
      const same = stored.get(number)?.crc === crc && stored.get(number)?.size === length;
      if (same) right++;
      else wrong++;
      bytes += same ? length : 0;
    }
  }
  await fleet.cancel(requestId);
  const after = await servers.sink();
  await fleet.stop();
  servers.stop();
  return {
    paper,
    segments: chosen.join(', '),
    gibCopied: bytes / GIB,
    partsRight: right,
    partsWrong: wrong,
    litter: after.open.length + after.objects.length,
  };
}
