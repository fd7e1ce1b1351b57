import { type Claim, dueAfter, type Release, releaseWrite } from '../adapters/claims.ts';
import type { Hints } from '../adapters/hints.ts';
import { eventWrites } from '../adapters/outbox.ts';
import { ConditionFailed, type Table, type Write } from '../adapters/table.ts';
import type { Topaz } from '../adapters/topaz.ts';
import { type CopyRow, newCopy, renewedSource } from '../domain/copy.ts';
import { nextPollAt, observe } from '../domain/poll-schedule.ts';
import { type RequestRow, requestList } from '../domain/request.ts';
import { eventExpiry, finishedExpiry } from '../domain/retention.ts';
import { copyKey, metaKey } from '../domain/rows.ts';
import { type PollOutcome, type Transition, transition } from '../domain/transition.ts';
import type { Hint } from '../domain/work.ts';
import type { UpstreamBrake } from './upstream-brake.ts';

export type PollDependencies = {
  readonly table: Table;
  readonly topaz: Topaz;
  readonly hints: Pick<Hints, 'send'>;
  readonly brake: UpstreamBrake;
  readonly now: () => number;
  readonly random: () => number;
  readonly retentionDays: number;
  /** Whether an account-wide endpoint asks for `progress.updated`. */
  readonly progressWanted: () => Promise<boolean>;
  readonly log: { info(message: string, extra: Record<string, unknown>): void };
};

const FAULT_BACKOFF_MS = 5_000;
const LONGEST_FAULT_BACKOFF_MS = 300_000;
const NOT_FOUND_INTERVAL_MS = 30_000;
const RENUMBER_TRIES = 3;
const SPREAD_AFTER_BRAKE_MS = 10_000;

/**
 * One poll of one claimed request: asks upstream, and commits what it learned in one transaction:
 * the row, the numbered events with the outbox, and the copy's row.
 */
export function createPollRequest(dependencies: PollDependencies) {
  const { table, topaz, hints, brake, now, random, retentionDays, progressWanted, log } = dependencies;

  return async function pollRequest(claim: Claim<RequestRow>): Promise<void> {
    const held = await brake.until();
    if (held !== undefined) return postpone(claim, held);

    const outcome = await topaz.status(claim.row.requestId);
    if (outcome.kind === 'brake') return postpone(claim, await brake.apply(outcome));
    if (outcome.kind !== 'fault') await brake.lift();

    const tellProgress = claim.row.tellProgress === true || (await progressWanted());
    for (let attempt = 1; ; attempt++) {
      try {
        return await commit(claim, outcome, tellProgress);
      } catch (error) {
        // The copy may have numbered an event meanwhile; while the claim holds, count on from there.
        if (!(error instanceof ConditionFailed) || attempt === RENUMBER_TRIES) throw error;
        const row = await table.get<RequestRow>(claim.row);
        if (row?.owner !== claim.nonce) throw error;
        Object.assign(claim.row, row);
      }
    }
  };

  async function commit(
    claim: Claim<RequestRow>,
    outcome: PollOutcome,
    tellProgress: boolean,
  ): Promise<void> {
    const { row } = claim;
    const at = now();
    const change = transition(row, outcome, at, { tellProgress });
    const source = { kind: 'request', requestId: row.requestId } as const;
    const events = eventWrites(source, row, change.events, at, eventExpiry(at, retentionDays));
    const copy = await copyWrites(row, change, at);
    const release = releaseOf(row, change, outcome, at);
    const released = releaseWrite(claim, {
      ...release,
      set: { ...release.set, ...events.counters },
    });
    const writes: Write[] = [
      { ...released, if: [...(released.if ?? []), { attribute: 'sequence', is: '=', value: row.sequence }] },
      ...events.writes,
      ...copy.writes,
      ...(change.next === 'done' ? [expireMeta(row, at)] : []),
    ];
    if (writes.length === 1) await table.write(writes[0] as Write);
    else await table.transact(writes);

    if (release.dueAt !== undefined) {
      await hints.send('poll', [{ pk: row.pk, sk: row.sk, dueAt: dueAfter(claim, release.dueAt) }]);
    }
    if (events.hint) await hints.send('dispatch', [events.hint]);
    if (copy.hint) await hints.send('copy', [copy.hint]);
    log.info('polled', {
      requestId: row.requestId,
      outcome: outcome.kind,
      ...(outcome.kind === 'fault' ? { reason: outcome.reason } : {}),
      status: change.set.status ?? row.status,
      events: change.events.map((event) => event.type),
    });
  }

  /** The row of the copy that the download begins or goes on with. */
  async function copyWrites(
    row: RequestRow,
    change: Transition,
    at: number,
  ): Promise<{ writes: Write[]; hint?: Hint }> {
    if (!change.source && !change.sourceGone) return { writes: [] };
    const key = copyKey(row.requestId);
    const previous = await table.get<CopyRow>(key);
    const write =
      row.urlWanted && previous
        ? renewedSource(previous, change.source, at)
        : change.source && newCopyWrite(newCopy(row.requestId, change.source, previous, at), previous);
    return write ? { writes: [write], hint: { ...key, dueAt: at } } : { writes: [] };
  }

  function releaseOf(row: RequestRow, change: Transition, outcome: PollOutcome, at: number): Release {
    const remove = change.remove as string[];
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
    const after = { ...row, ...change.set };
    for (const name of change.remove) delete after[name];
    const observations = observe(row.observations, { at, status: after.status, progress: after.progress });
    return {
      set: { ...change.set, observations },
      remove,
      dueAt: nextDueAt({ ...after, observations }, outcome, at),
    };
  }

  function nextDueAt(row: RequestRow, outcome: PollOutcome, at: number): number {
    if (outcome.kind === 'not-found') return at + NOT_FOUND_INTERVAL_MS;
    const misses = outcome.kind === 'fault' ? (row.faults ?? 1) : (row.downloadMissing ?? 0);
    if (misses > 0) {
      const backoff = Math.min(LONGEST_FAULT_BACKOFF_MS, FAULT_BACKOFF_MS * 2 ** (misses - 1));
      return at + Math.ceil(backoff * (1 + 0.25 * random()));
    }
    return nextPollAt(row, at);
  }

  function expireMeta(row: RequestRow, at: number): Write {
    return { update: metaKey(row.requestId), set: { expiresAt: finishedExpiry(at, retentionDays) } };
  }

  /** A planned wait: the row is due when the brake ends, a little spread so that not all come at once. */
  async function postpone(claim: Claim<RequestRow>, until: number): Promise<void> {
    const { pk, sk } = claim.row;
    const dueAt = dueAfter(claim, until + random() * SPREAD_AFTER_BRAKE_MS);
    await table.write(releaseWrite(claim, { dueAt }));
    await hints.send('poll', [{ pk, sk, dueAt }]);
  }
}

const newCopyWrite = (row: CopyRow, previous: CopyRow | undefined): Write => ({
  put: row,
  if: [
    previous
      ? { attribute: 'generation', is: '=', value: previous.generation }
      : { attribute: 'pk', is: 'absent' },
  ],
});
