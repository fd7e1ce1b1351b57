import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { CopyRow, SegmentRow } from '../../lambdas/domain/copying/copy.ts';
import { concurrencyFor, MIN_PART_BYTES } from '../../lambdas/domain/copying/copy-plan.ts';
import { copyKey } from '../../lambdas/domain/rows.ts';
import { seededRandom } from '../../local/aws/random.ts';
import { generatedSlices } from '../../local/topaz/video.ts';
import type { Certificate } from './certificate.ts';
import { startFleet } from './fleet.ts';
import { startServers } from './servers.ts';

const MIB = 1024 ** 2;
const MEMORY_MIB = 512;

type KillFigures = {
  seed: number;
  kills: number;
  seconds: number;
  /** Fetched beyond the size, per kill. */
  mibAgainPerKill: number;
  /** As much may be under way when a worker is killed: a part on each of its connections. */
  mibUnderWay: number;
  intact: boolean;
  litter: number;
};

/** Copies one file while its workers are killed at random moments. */
export async function measureKills(
  certificate: Certificate,
  {
    size,
    kills,
    workers = 2,
    seed = Date.now(),
  }: { size: number; kills: number; workers?: number; seed?: number },
): Promise<KillFigures> {
  // So slow that all kills fall into the copy, whatever the machine.
  const seconds = Math.max(5, kills * 1.2);
  const servers = await startServers(certificate, { bytesPerSecond: size / seconds / workers });
  const fleet = await startFleet(servers, certificate, { workers, memoryMiB: MEMORY_MIB });
  const random = seededRandom(seed);
  const begunAt = performance.now();
  let running = true;
  const copied = fleet.copy(`${servers.sourceUrl}/kills/${size}.mp4`).finally(() => {
    running = false;
  });
  let killed = 0;
  while (running && killed < kills) {
    await sleep(random() * 1000);
    if (!running || fleet.working() === 0) continue;
    await fleet.kill(Math.floor(random() * workers));
    killed++;
  }
  const requestId = await copied;
  const took = (performance.now() - begunAt) / 1000;

  const copy = await fleet.table.get<CopyRow>(copyKey(requestId));
  const segments = await fleet.table.query<SegmentRow>({
    partition: copy?.pk ?? '',
    prefix: 'SEGMENT#',
    limit: 100,
  });
  const { objects, open: uploads } = await servers.sink();
  const served = await servers.served();
  await fleet.stop();
  servers.stop();
  let crc = 0;
  for (const slice of generatedSlices('kills', 0, size)) crc = crc32(slice, crc);
  const open = segments.rows.filter(({ state }) => state === 'open').length;
  const { partSize = 0 } = copy?.upload ?? {};
  return {
    seed,
    kills: killed,
    seconds: took,
    mibAgainPerKill: killed === 0 ? 0 : (served - size) / MIB / killed,
    mibUnderWay:
      (concurrencyFor(partSize, { memoryMiB: MEMORY_MIB, minPartBytes: MIN_PART_BYTES }) * partSize) / MIB,
    intact:
      copy?.state === 'stored' && objects.length === 1 && objects[0]?.size === size && objects[0].crc === crc,
    litter: uploads.length + open + objects.length - 1,
  };
}
