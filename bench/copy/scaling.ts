import type { CopyRow } from '../../lambdas/domain/copying/copy.ts';
import { copyKey } from '../../lambdas/domain/rows.ts';
import type { Certificate } from './certificate.ts';
import { startFleet } from './fleet.ts';
import { startServers } from './servers.ts';

const MIB = 1024 ** 2;
const LATENCY_MS = 50;
const MIB_PER_SECOND = 20;

type ScalingFigures = { seconds: number; speedup: number; efficiency: number };

/** One file over 1, 2 and 4 workers, each with a slow network of its own. */
export async function measureScaling(
  certificate: Certificate,
  size: number,
): Promise<Record<string, ScalingFigures>> {
  const limits = { latencyMs: LATENCY_MS, bytesPerSecond: MIB_PER_SECOND * MIB };
  const figures: Record<string, ScalingFigures> = {};
  let alone = 0;
  for (const workers of [1, 2, 4]) {
    const servers = await startServers(certificate, limits);
    const fleet = await startFleet(servers, certificate, { workers });
    const begunAt = performance.now();
    const requestId = await fleet.copy(`${servers.sourceUrl}/scaling/${size}.mp4`);
    const seconds = (performance.now() - begunAt) / 1000;
    const copy = await fleet.table.get<CopyRow>(copyKey(requestId));
    await fleet.stop();
    servers.stop();
    if (copy?.state !== 'stored') throw new Error(`the copy ended as ${copy?.state}: ${copy?.failure}`);
    if (workers === 1) alone = seconds;
    const speedup = alone / seconds;
    figures[String(workers)] = { seconds, speedup, efficiency: speedup / workers };
  }
  return figures;
}
