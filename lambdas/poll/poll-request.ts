import { type Condition, equals, present } from '../adapters/dynamodb/expression.ts';
import { ConditionFailed, type Table, type Write } from '../adapters/dynamodb/table.ts';
import { eventWrites } from '../adapters/rows/outbox.ts';
import { observe } from '../domain/polling/poll-schedule.ts';
import { nextPoll } from '../domain/polling/poll-wait.ts';
import { patience } from '../domain/polling/upstream-pause.ts';
import { type RequestRow, requestList } from '../domain/requests/request.ts';
import {
  DEFAULT_TRANSITION_SETTINGS,
  isOverdue,
  overdueBefore,
  type PollOutcome,
  type Transition,
  type TransitionSettings,
  transition,
} from '../domain/requests/transition.ts';
import { eventExpiry, finishedExpiry } from '../domain/retention.ts';
import { metaKey } from '../domain/rows.ts';
import type { Hint, Lane } from '../domain/work.ts';
import { type Claim, type Claims, dueAfter, type Release, releaseWrite } from '../engine/claims.ts';
import type { Hints } from '../engine/hints.ts';
import { handOver } from './start-copy.ts';
import type { Refusal, Topaz } from './topaz.ts';
import type { UpstreamBrake } from './upstream-pause.ts';

export type PollDependencies = {
  readonly table: Table;
  readonly claims: Pick<Claims, 'release'>;
  readonly topaz: Topaz;
  readonly hints: Pick<Hints, 'send'>;
  readonly brake: UpstreamBrake;
  /** Settles when the pace allows another poll. */
  readonly turn: () => Promise<void>;
  readonly now: () => number;
  readonly random: () => number;
  readonly retentionDays: number;
  readonly settings?: TransitionSettings;
  /** Whether an account-wide endpoint asks for `progress.updated`. */
  readonly progressWanted: () => Promise<boolean>;
  readonly onLost: () => void;
  readonly log: { info(message: string, extra: Record<string, unknown>): void };
};

/** A poll's answer, and what the commit needs to know of the poll. */
type Polled = { readonly outcome: PollOutcome; readonly tellProgress: boolean; readonly lateness: number };

const RENUMBER_TRIES = 3;
/** What is known of a request for which there is no asking, and that has waited for too long. */
const UNASKED: Polled = {
  outcome: { kind: 'fault', reason: 'polling is braked' },
  tellProgress: false,
  lateness: 0,
};

/** What a row must be to wait for a brake's end without being claimed: not pending for too long. */
export const mayWait = (now: number, settings: TransitionSettings): Condition[] => [
  { attribute: 'startedAt', is: '>=', value: overdueBefore(now, settings) },
];

/**
 * One poll of one claimed request: asks upstream, and commits what it learned in one transaction:
 * the row, the numbered events with the outbox, and the copy's row.
 */
export function createPollRequest(dependencies: PollDependencies) {
  const { table, claims, topaz, hints, brake, turn, now, random, onLost, log } = dependencies;
  const { retentionDays, settings = DEFAULT_TRANSITION_SETTINGS, progressWanted } = dependencies;

  return async function pollRequest(claim: Claim<RequestRow>): Promise<void> {
    await turn();
    const leave = await brake.enter();
    if (leave === 'held') return putOff(claim);

    const lateness = now() - claim.hintedAt;
    const answer = await topaz.status(claim.row.requestId);
    const refused = answer.kind === 'brake' && answer.reason !== 'no-key';
    // Its last refusal braked all polling, and since then the answer to another request has lifted the brake.
    const alone = refused && leave === 'go' && claim.row.refused;
    const outcome = alone ? faultOf(answer) : answer;
    if (outcome.kind === 'brake') {
      await brake.apply(outcome);
      return putOff(claim, { refused });
    }
    if (leave !== 'go' && outcome.kind !== 'fault') await brake.lift(leave);

    const tellProgress = claim.row.tellProgress === true || (await progressWanted());
    await commit(claim, { outcome, tellProgress, lateness });
  };

  /** A planned wait for the brake's end, and when `refused` for the answer to another row's probe. */
  async function putOff(claim: Claim<RequestRow>, { refused = false } = {}): Promise<void> {
    const { pk, sk } = claim.row;
    if (isOverdue(claim.row, now(), settings)) return commit(claim, UNASKED);
    const resumeAt = refused ? brake.resumeBehind() : brake.resumeAt();
    const dueAt = dueAfter(claim, (await resumeAt) ?? now());
    const set = refused ? { refused } : {};
    if (await claims.release(claim, { dueAt, set })) await hints.send('poll', [{ pk, sk, dueAt }]);
  }

  async function commit(claim: Claim<RequestRow>, polled: Polled): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const { row } = claim;
      const at = now();
      const change = transition(row, polled.outcome, at, { tellProgress: polled.tellProgress, settings });
      const { writes, due } = await writesOf(claim, change, polled, at);
      try {
        if (writes.length === 1) await table.write(writes[0] as Write);
        else await table.transact(writes);
      } catch (error) {
        if (!(error instanceof ConditionFailed)) throw error;
        const stored = await table.get<RequestRow>(row);
        if (stored?.releasedBy !== claim.nonce) {
          if (stored?.owner !== claim.nonce || attempt === RENUMBER_TRIES) throw error;
          // The copy has numbered an event meanwhile; while the claim holds, count on from there.
          Object.assign(claim.row, stored);
          continue;
        }
        // It was committed: the answer was lost, and the SDK tried again.
      }
      for (const { lane, hint } of due) await hints.send(lane, [hint]);
      report(row, change, polled.outcome);
      return showJobs(row, change, polled.outcome);
    }
  }

  /** The transaction that a change makes, and the rows that are due by it. */
  async function writesOf(
    claim: Claim<RequestRow>,
    change: Transition,
    polled: Polled,
    at: number,
  ): Promise<{ writes: Write[]; due: { lane: Lane; hint: Hint }[] }> {
    const { row } = claim;
    const source = { kind: 'request', requestId: row.requestId } as const;
    const events = eventWrites(source, row, change.events, at, eventExpiry(at, retentionDays));
    const copy = await handOver(table, claim, change, at);
    const release = releaseOf(row, change, polled, at);
    const request = releaseWrite(claim, { ...release, set: { ...release.set, ...events.counters } });
    const due: { lane: Lane; hint: Hint }[] = [];
    if (release.dueAt !== undefined) {
      const hint = { pk: row.pk, sk: row.sk, dueAt: dueAfter(claim, release.dueAt) };
      due.push({ lane: 'poll', hint });
    }
    if (events.hint) due.push({ lane: 'dispatch', hint: events.hint });
    if (copy) due.push({ lane: 'copy', hint: copy.hint });
    return {
      writes: [
        { ...request, if: [...(request.if ?? []), equals('sequence', row.sequence)] },
        ...events.writes,
        ...(copy ? [copy.write] : []),
        ...(change.next === 'done' ? [expireMeta(row, at)] : []),
      ],
      due,
    };
  }

  function releaseOf(row: RequestRow, change: Transition, polled: Polled, at: number): Release {
    const remove: string[] = [...change.remove];
    if (change.next === 'copying') return { set: { ...change.set, observations: [] }, remove };
    if (change.next === 'done') {
      const ended = {
        state: 'done',
        listKey: requestList('done'),
        expiresAt: finishedExpiry(at, retentionDays),
        observations: [],
      };
      return { set: { ...change.set, ...ended }, remove };
    }
    const after: RequestRow = { ...row, ...change.set };
    for (const name of change.remove) delete after[name];
    if (polled.outcome.kind === 'status') {
      const seen = { at, status: after.status, progress: after.progress };
      after.observations = observe(row.observations, seen);
    }
    return {
      set: { ...change.set, observations: after.observations },
      remove,
      dueAt: nextPoll(after, { outcome: polled.outcome, lateness: polled.lateness }, at, random()),
    };
  }

  function expireMeta(row: RequestRow, at: number): Write {
    return { update: metaKey(row.requestId), set: { expiresAt: finishedExpiry(at, retentionDays) } };
  }

  /** Keeps the nodes' states, which are only shown, beside the row that is polled; best effort. */
  async function showJobs(row: RequestRow, change: Transition, outcome: PollOutcome): Promise<void> {
    const { status, progress = row.progress } = change.set;
    if (outcome.kind !== 'status' || (status === undefined && progress === row.progress)) return;
    const { processingJobs } = outcome.status;
    if (!processingJobs) return;
    try {
      await table.write({ update: metaKey(row.requestId), set: { processingJobs }, if: [present('pk')] });
    } catch (error) {
      // Erased meanwhile.
      if (!(error instanceof ConditionFailed)) throw error;
    }
  }

  function report(row: RequestRow, change: Transition, outcome: PollOutcome): void {
    if (change.events.some(({ type }) => type === 'video.lost')) onLost();
    log.info('polled', {
      requestId: row.requestId,
      outcome: outcome.kind,
      ...(outcome.kind === 'fault' ? { reason: outcome.reason } : {}),
      status: change.set.status ?? row.status,
      events: change.events.map((event) => event.type),
    });
  }
}

/** A refusal that is meant for one request, and not for the account. */
const faultOf = ({ reason, retryAfterMs }: Refusal): PollOutcome => ({
  kind: 'fault',
  reason: `upstream refuses this request alone (${reason})`,
  retryAfterMs: retryAfterMs === undefined ? undefined : patience(retryAfterMs),
});
