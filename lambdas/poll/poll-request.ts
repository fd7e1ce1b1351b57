import { boundedRetryAfter, pauseReason } from '../domain/polling/upstream-pause.ts';
import type { RequestRow } from '../domain/requests/request.ts';
import { isOverdue, type PollOutcome } from '../domain/requests/transition.ts';
import type { Claim } from '../engine/claim-writes.ts';
import type { WorkContext } from '../engine/stage.ts';
import { createCommitPoll, type Polled } from './commit-poll.ts';
import type { PollDependencies } from './poll-dependencies.ts';
import type { Refusal } from './topaz.ts';

/** A refused row is due this long after a pause, ms: another row is the probe, whose answer shows whether only this one is refused. */
const BEHIND_PROBE_MS = 5_000;
/** Rows that waited for a pause to end are due within this time, ms, so that they do not collide on its row. */
const RESUME_SPREAD_MS = 5_000;
/** The outcome for a request that cannot be polled and has been pending for too long. */
const UNPOLLED: Polled = {
  outcome: { kind: 'fault', reason: 'polling is paused' },
  tellProgress: false,
  lateness: 0,
};

/** One poll of one claimed request: asks upstream, unless all polling is paused, and commits what it learned. */
export function createPollRequest(dependencies: PollDependencies) {
  const { claims, topaz, pauses, acquire, progressWanted, now, random, settings } = dependencies;
  const commitPoll = createCommitPoll(dependencies);

  return async function pollRequest(claim: Claim<RequestRow>, context: WorkContext): Promise<void> {
    await acquire();
    const permit = await pauses.enter();
    if (permit.kind === 'held') {
      return postpone(claim, permit.until + random() * RESUME_SPREAD_MS, context);
    }

    const lateness = now() - claim.hintedAt;
    const answer = await topaz.status(claim.row.requestId);
    const refused = answer.kind === 'pause' && answer.reason !== 'no-key';
    // Its last refusal paused all polling, and since then the answer to another request has ended the pause.
    const alone = refused && permit.kind === 'go' && claim.row.refused;
    const outcome = alone ? faultOf(answer) : answer;
    if (outcome.kind === 'pause') {
      // A worker that was frozen since the answer knows nothing of upstream as it is now.
      if (!(await claims.renew(claim))) return;
      const until = await pauses.apply(outcome);
      const lastError = { at: now(), reason: pauseReason(outcome) };
      return refused
        ? postpone(claim, until + BEHIND_PROBE_MS, context, { refused, lastError })
        : postpone(claim, until + random() * RESUME_SPREAD_MS, context, { lastError });
    }
    if (permit.kind === 'probe' && outcome.kind !== 'fault') await pauses.lift(permit.pause);

    const tellProgress = claim.row.tellProgress === true || (await progressWanted());
    await commitPoll(claim, { outcome, tellProgress, lateness }, context);
  };

  /** Waits for the end of a pause, unless the request has been pending for too long. */
  async function postpone(
    claim: Claim<RequestRow>,
    until: number,
    context: WorkContext,
    set: Partial<RequestRow> = {},
  ): Promise<void> {
    if (isOverdue(claim.row, now(), settings)) return commitPoll(claim, UNPOLLED, context);
    await context.hint(await claims.again(claim, until, { set }));
  }
}

/** A refusal that concerns one request and not the account. */
const faultOf = ({ reason, retryAfterMs }: Refusal): PollOutcome => ({
  kind: 'fault',
  reason: `Topaz refuses this request alone (${reason})`,
  retryAfterMs: retryAfterMs === undefined ? undefined : boundedRetryAfter(retryAfterMs),
});
