import type { Write } from '../adapters/dynamodb/expression.ts';
import { firstRefused, optimistic } from '../adapters/dynamodb/optimistic.ts';
import type { Table } from '../adapters/dynamodb/table.ts';
import type { SummedMetric } from '../domain/metrics.ts';
import { observe } from '../domain/polling/poll-schedule.ts';
import { nextPoll } from '../domain/polling/poll-wait.ts';
import { boundedRetryAfter, pauseReason } from '../domain/polling/upstream-pause.ts';
import { type RequestRow, requestList } from '../domain/requests/request.ts';
import { countChanges } from '../domain/requests/request-counts.ts';
import {
  DEFAULT_TRANSITION_SETTINGS,
  isOverdue,
  type PollOutcome,
  type Transition,
  type TransitionSettings,
  transition,
} from '../domain/requests/transition.ts';
import { eventExpiry, requestExpiry } from '../domain/retention.ts';
import { metaKey } from '../domain/rows.ts';
import type { Due } from '../domain/work.ts';
import {
  type AgainChange,
  againWrite,
  type Claim,
  type Claims,
  type ClaimWrite,
  finishWrite,
} from '../engine/claims.ts';
import type { WorkContext } from '../engine/stage.ts';
import { eventWrites } from '../rows/outbox.ts';
import { countWrites } from '../rows/request-counts.ts';
import { showProgress } from './show-progress.ts';
import { startCopy } from './start-copy.ts';
import type { Refusal, Topaz } from './topaz.ts';
import type { UpstreamPauses } from './upstream-pause.ts';

export type PollDependencies = {
  readonly table: Table;
  readonly claims: Claims;
  readonly topaz: Topaz;
  readonly pauses: UpstreamPauses;
  /** Settles when the limiter allows another poll. */
  readonly acquire: () => Promise<void>;
  readonly now: () => number;
  readonly random: () => number;
  readonly retentionDays: number;
  readonly settings?: TransitionSettings;
  /** Whether an account-wide endpoint asks for `progress.updated`. */
  readonly progressWanted: () => Promise<boolean>;
  readonly count: (metric: SummedMetric, value?: number) => void;
  readonly log: { info(message: string, extra: Record<string, unknown>): void };
};

/** A poll's answer, and what the commit needs to know of the poll; `lateness` in ms. */
type Polled = { readonly outcome: PollOutcome; readonly tellProgress: boolean; readonly lateness: number };

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

/**
 * One poll of one claimed request: asks upstream, and commits what it learned in one transaction: the row,
 * the numbered events with the outbox, and the copy's row.
 */
export function createPollRequest(dependencies: PollDependencies) {
  const { table, claims, topaz, pauses, acquire, now, random, count, log } = dependencies;
  const { retentionDays, settings = DEFAULT_TRANSITION_SETTINGS, progressWanted } = dependencies;

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
      const until = await pauses.apply(outcome);
      const lastError = { at: now(), reason: pauseReason(outcome) };
      return refused
        ? postpone(claim, until + BEHIND_PROBE_MS, context, { refused, lastError })
        : postpone(claim, until + random() * RESUME_SPREAD_MS, context, { lastError });
    }
    if (permit.kind === 'probe' && outcome.kind !== 'fault') await pauses.lift(permit.pause);

    const tellProgress = claim.row.tellProgress === true || (await progressWanted());
    await commit(claim, { outcome, tellProgress, lateness }, context);
  };

  /** Waits for the end of a pause, unless the request has been pending for too long. */
  async function postpone(
    claim: Claim<RequestRow>,
    until: number,
    context: WorkContext,
    set: Partial<RequestRow> = {},
  ): Promise<void> {
    if (isOverdue(claim.row, now(), settings)) return commit(claim, UNPOLLED, context);
    await context.hint(await claims.again(claim, until, { set }));
  }

  async function commit(claim: Claim<RequestRow>, polled: Polled, { hint }: WorkContext): Promise<void> {
    const { row } = claim;
    const committed = await optimistic(
      async () => {
        const at = now();
        const change = transition(row, polled.outcome, at, { tellProgress: polled.tellProgress, settings });
        const { own, others, due } = await writesOf(claim, change, polled, at);
        return { at, change, due: [await claims.commit(claim, own, others), ...due] };
      },
      // The copy's row may change meanwhile; the request's own row changes only when another writer takes it.
      { unless: firstRefused },
    );
    await hint(committed.due);
    report(row, committed.change, polled);
    if (polled.outcome.kind === 'status') await showProgress(table, row, polled.outcome.status, committed.at);
  }

  /** The transaction for a change, and what its other rows make due. */
  async function writesOf(
    claim: Claim<RequestRow>,
    change: Transition,
    polled: Polled,
    at: number,
  ): Promise<{ own: ClaimWrite; others: Write[]; due: (Due | undefined)[] }> {
    const { row } = claim;
    const source = { kind: 'request', requestId: row.requestId } as const;
    const events = eventWrites(source, row, change.events, at, eventExpiry(at, retentionDays));
    const copy = await startCopy(table, claim, change, at);
    const { dueAt, ...left } = leftBy(row, change, polled, at);
    const ended = { ...left, set: { ...left.set, ...events.counters } };
    return {
      own: dueAt === undefined ? finishWrite(claim, ended) : againWrite(claim, dueAt, ended),
      others: [
        ...events.writes,
        ...(copy ? [copy.write] : []),
        ...(change.next === 'done' ? [expireMeta(row, at)] : []),
        ...countWrites(countChanges(row, { ...row, ...left.set }), row.requestId),
      ],
      due: [events.due, copy?.due],
    };
  }

  /** What the poll leaves of the row; without a `dueAt` it is not polled again. */
  function leftBy(
    row: RequestRow,
    change: Transition,
    polled: Polled,
    at: number,
  ): AgainChange & { dueAt?: number } {
    const remove: string[] = [...change.remove];
    if (change.next === 'copying') return { set: { ...change.set, observations: [] }, remove };
    if (change.next === 'done') {
      const ended = {
        state: 'done',
        listKey: requestList('done'),
        expiresAt: requestExpiry(at, retentionDays),
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
    return { update: metaKey(row.requestId), set: { expiresAt: requestExpiry(at, retentionDays) } };
  }

  function report(row: RequestRow, change: Transition, { outcome, lateness }: Polled): void {
    const numbered = change.events.filter((event) => event.numbered !== false);
    count('Polls');
    count('PollLateness', lateness);
    if (outcome.kind === 'fault') count('PollFaults');
    if (numbered.length > 0) count('Transitions', numbered.length);
    if (numbered.some(({ type }) => type === 'video.lost')) count('RequestsLost');
    log.info('polled', {
      requestId: row.requestId,
      outcome: outcome.kind,
      ...(outcome.kind === 'fault' ? { reason: outcome.reason } : {}),
      status: change.set.status ?? row.status,
      events: change.events.map((event) => event.type),
    });
  }
}

/** A refusal that concerns one request and not the account. */
const faultOf = ({ reason, retryAfterMs }: Refusal): PollOutcome => ({
  kind: 'fault',
  reason: `Topaz refuses this request alone (${reason})`,
  retryAfterMs: retryAfterMs === undefined ? undefined : boundedRetryAfter(retryAfterMs),
});
