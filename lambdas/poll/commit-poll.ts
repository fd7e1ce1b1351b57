import type { Write } from '../adapters/dynamodb/expression.ts';
import { firstRefused, optimistic } from '../adapters/dynamodb/optimistic.ts';
import { observe } from '../domain/polling/poll-schedule.ts';
import { nextPoll } from '../domain/polling/poll-wait.ts';
import { type RequestRow, requestList } from '../domain/requests/request.ts';
import { countChanges } from '../domain/requests/request-counts.ts';
import { type PollOutcome, type Transition, transition } from '../domain/requests/transition.ts';
import { eventExpiry, requestExpiry } from '../domain/retention.ts';
import { metaKey } from '../domain/rows.ts';
import type { Due } from '../domain/work.ts';
import {
  type AgainChange,
  againWrite,
  type Claim,
  type ClaimWrite,
  finishWrite,
} from '../engine/claim-writes.ts';
import type { WorkContext } from '../engine/stage.ts';
import { eventWrites } from '../rows/outbox.ts';
import { countWrites } from '../rows/request-counts.ts';
import type { PollDependencies } from './poll-dependencies.ts';
import { showProgress } from './show-progress.ts';
import { startCopy } from './start-copy.ts';

/** Events that end a request without its video; a copy that fails counts its own. */
const VIDEO_MISSING: readonly string[] = ['video.lost', 'video.unavailable'];

/** A poll's answer, and what the commit needs to know of the poll; `lateness` in ms. */
export type Polled = {
  readonly outcome: PollOutcome;
  readonly tellProgress: boolean;
  readonly lateness: number;
};

/**
 * Commits what a poll learned in one transaction: the row, the numbered events with the outbox, and the copy's
 * row.
 */
export function createCommitPoll(dependencies: PollDependencies) {
  const { table, claims, now, random, retentionDays, settings, count, log } = dependencies;

  return async function commitPoll(
    claim: Claim<RequestRow>,
    polled: Polled,
    { hint }: WorkContext,
  ): Promise<void> {
    const { row } = claim;
    const committed = await optimistic(
      async () => {
        const at = now();
        const change = transition(row, polled.outcome, at, { tellProgress: polled.tellProgress, settings });
        const { own, others, due } = await writesOf(claim, change, polled, at);
        return { at, change, due: [await claims.commit(claim, own, others), ...due] };
      },
      // The copy's row may have changed since; the request's own row changes only when another writer takes it.
      { unless: firstRefused },
    );
    await hint(committed.due);
    report(row, committed.change, polled);
    if (polled.outcome.kind === 'status') await showProgress(table, row, polled.outcome.status, committed.at);
  };

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
        ...(change.next === 'done'
          ? [{ update: metaKey(row.requestId), set: { expiresAt: requestExpiry(at, retentionDays) } }]
          : []),
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

  function report(row: RequestRow, change: Transition, { outcome, lateness }: Polled): void {
    const numbered = change.events.filter((event) => event.numbered !== false);
    count('Polls');
    count('PollLateness', lateness);
    if (outcome.kind === 'fault') count('PollFaults');
    if (numbered.length > 0) count('Transitions', numbered.length);
    if (numbered.some(({ type }) => VIDEO_MISSING.includes(type))) count('VideosMissing');
    log.info('polled', {
      requestId: row.requestId,
      outcome: outcome.kind,
      ...(outcome.kind === 'fault' ? { reason: outcome.reason } : {}),
      status: change.set.status ?? row.status,
      events: change.events.map((event) => event.type),
    });
  }
}
