import type { UpstreamAnswer, UpstreamCheckRow } from '../domain/polling/upstream-check.ts';
import { pauseReason } from '../domain/polling/upstream-pause.ts';
import type { Claim } from '../engine/claim-writes.ts';
import type { PollDependencies } from './poll-dependencies.ts';

/** No job has this id: upstream does not know it, and only says whether it accepts the key. */
const NO_REQUEST = '00000000-0000-0000-0000-000000000000';

/**
 * Asks upstream for the doctor, and keeps the answer. It does so during a pause as well, and neither ends nor
 * prolongs it: people want to know whether what they repaired works.
 */
export function createCheckUpstream({
  claims,
  topaz,
  acquire,
  now,
  log,
}: Pick<PollDependencies, 'claims' | 'topaz' | 'acquire' | 'now' | 'log'>) {
  return async function checkUpstream(claim: Claim<UpstreamCheckRow>): Promise<void> {
    await acquire();
    const begun = now();
    const said = meaningOf(await topaz.status(NO_REQUEST));
    const at = now();
    const answer: UpstreamAnswer = { ...said, at, durationMs: at - begun };
    await claims.finish(claim, { set: { answer } });
    log.info('checked upstream', { ...answer });
  };
}

function meaningOf(
  said: Awaited<ReturnType<PollDependencies['topaz']['status']>>,
): Pick<UpstreamAnswer, 'outcome' | 'detail'> {
  if (said.kind === 'pause') return { outcome: said.reason, detail: pauseReason(said) };
  return said.kind === 'fault' ? { outcome: 'fault', detail: said.reason } : { outcome: 'accepted' };
}
