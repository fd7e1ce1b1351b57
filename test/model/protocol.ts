import type { Condition, Write } from '../../lambdas/adapters/dynamodb/expression.ts';
import { type Due, type Hint, type Lane, PARKED, type Work } from '../../lambdas/domain/work.ts';
import {
  againWrite,
  type Claim,
  claimWrite,
  finishWrite,
  parkWrite,
  progressWrite,
  removeWrite,
  renewWrite,
  retryWrite,
  unclaimWrite,
} from '../../lambdas/engine/claim-writes.ts';
import { MAX_CLAIMS } from '../../lambdas/engine/due-time.ts';
import { wake, withdraw } from '../../lambdas/engine/wake.ts';
import { applyWrite, type ModelRow } from './apply-write.ts';

/** The writes of the protocol, by which mutants are named. */
const WRITES = [
  'claim',
  'again',
  'finish',
  'remove',
  'progress',
  'renew',
  'unclaim',
  'retry',
  'park',
  'wake',
  'withdraw',
] as const;
type WriteName = (typeof WRITES)[number];
/** Changes a write of the code before it is applied. */
export type Mutate = (name: WriteName, write: Write) => Write;

/** How far the search goes; each bound cuts what repeats. */
export type Bounds = { claims: number; steps: number; orders: number; workers: number };

type Holding = Pick<Claim, 'lane' | 'nonce' | 'hintedAt' | 'leaseEnd' | 'claimsWithoutProgress'>;
/** A release that was sent; its answer was lost, so the SDK sends it again. */
type Unanswered = { readonly name: WriteName; readonly write: Write; readonly nonce: string };

/** One row, its workers, and every hint of it that may still arrive. */
type State = {
  readonly now: number;
  readonly row: ModelRow;
  readonly workers: readonly (Holding | Unanswered | undefined)[];
  /** Sent or swept: each may arrive now, late, twice or never. */
  readonly hints: readonly string[];
  readonly left: Bounds;
  /** What is true, whatever the row says. */
  readonly ghost: {
    readonly holder?: string;
    readonly leaseEnd: number;
    readonly claims: number;
    readonly todo: boolean;
    readonly releasedBy?: string;
  };
  readonly broken?: string;
};

const KEY = { pk: 'ROW', sk: 'ROW' };
const LANE: Lane = 'poll';
const OTHER: Lane = 'copy';

export function initialState(bounds: Bounds): State {
  const dueAt = 1_000_000;
  return {
    now: dueAt,
    row: { lane: LANE, dueAt },
    workers: Array.from({ length: bounds.workers }, () => undefined),
    hints: [hintName(LANE, dueAt)],
    left: bounds,
    ghost: { leaseEnd: 0, claims: 0, todo: true },
  };
}

/** States with the same key behave alike: workers have no names, and a nonce is only told from others. */
export function keyOf({ workers, row, ghost, ...state }: State): string {
  const told = workers.map((worker) =>
    worker && 'write' in worker ? ['unanswered', worker.name, worker.nonce, dueOf(worker.write)] : worker,
  );
  const text = JSON.stringify([
    state,
    row && sorted(row),
    ghost,
    told.map((each) => JSON.stringify(each ?? '')).sort(),
  ]);
  return text;
}

const dueOf = (write: Write): unknown => ('update' in write ? [write.set?.lane, write.set?.dueAt] : []);
const sorted = (row: object): unknown => Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1));

/** Every state that one step of any actor leads to, with the step's name. */
export function successors(state: State, mutate: Mutate): [string, State][] {
  if (state.broken) return [];
  const found: [string, State][] = [];
  const add = (name: string, next: State | undefined) => next && found.push([name, next]);
  state.workers.forEach((worker, i) => {
    // Idle workers are alike: the first stands for all.
    if (!worker && state.workers.indexOf(undefined) !== i) return;
    if (!worker) {
      for (const hint of state.hints) add(`worker ${i} claims by ${hint}`, claim(state, i, hint, mutate));
      return;
    }
    add(`worker ${i} dies`, { ...state, workers: replaced(state.workers, i, undefined) });
    if ('write' in worker) {
      add(`worker ${i} sends ${worker.name} again`, sentAgain(state, i, worker));
      return;
    }
    for (const { name, write, due } of ownWrites(worker, state.now)) {
      add(`worker ${i}: ${name}`, own(state, i, worker, name, mutate(name, write), due));
    }
    for (const name of ['renew', 'progress'] as const) {
      add(`worker ${i}: ${name}`, extend(state, i, worker, name, mutate));
    }
  });
  if (state.left.steps > 0) {
    const steps = { ...state.left, steps: state.left.steps - 1 };
    const { dueAt } = (state.row ?? {}) as Work;
    for (const now of new Set([state.now + 1, Math.max(state.now + 1, dueAt ?? 0)])) {
      add(`time: ${now}`, swept({ ...state, now, left: steps }));
    }
  }
  if (state.left.orders > 0) {
    for (const lane of [LANE, OTHER]) add(`another writer wakes it in ${lane}`, order(state, lane, mutate));
    add('another writer withdraws it', order(state, undefined, mutate));
  }
  return found;
}

function claim(state: State, i: number, hinted: string, mutate: Mutate): State | undefined {
  if (state.left.claims === 0) return undefined;
  const left = { ...state.left, claims: state.left.claims - 1 };
  const hint = hintOf(hinted);
  const nonce = `n${state.left.claims}`;
  const { write, leaseEnd } = claimWrite(hint.lane, hint, nonce, state.now);
  const row = applyWrite(state.row, mutate('claim', write));
  if (row === 'refused') return undefined;
  const before = (state.row ?? {}) as Work;
  const after = row as Work;
  const { ghost } = state;
  const claims = ghost.claims + 1;
  const holding: Holding = {
    lane: hint.lane,
    nonce,
    hintedAt: hint.dueAt,
    leaseEnd,
    claimsWithoutProgress: (after.claims ?? 1) - 1,
  };
  const broken =
    (before.lane === PARKED && 'a parked row was claimed') ||
    (before.lane === undefined && 'a finished row was claimed') ||
    (before.lane !== hint.lane && 'a hint for one lane claimed work of another') ||
    (ghost.holder && state.now < ghost.leaseEnd && 'a row was claimed during the lease of another worker') ||
    (after.owner !== nonce && 'a claimed row does not name its owner') ||
    (after.dueAt !== leaseEnd && 'a claimed row is not due at the end of its lease') ||
    (after.claims !== claims && 'the claims are not counted') ||
    undefined;
  return checked({
    ...state,
    row,
    left,
    workers: replaced(state.workers, i, holding),
    ghost: { ...ghost, holder: nonce, leaseEnd, claims },
    ...(broken ? { broken } : {}),
  });
}

type Own = { readonly name: WriteName; readonly write: Write; readonly due?: Due };

function ownWrites(holding: Holding, now: number): Own[] {
  const claim = { ...holding, row: KEY };
  // A worker that meets the row after too many claims parks it, and does nothing else.
  if (holding.claimsWithoutProgress >= MAX_CLAIMS) {
    return [{ name: 'park', ...parkWrite(claim, 'r', now) }];
  }
  return [
    { name: 'again', ...againWrite(claim, now) },
    { name: 'again', ...againWrite(claim, now, { lane: OTHER }) },
    { name: 'finish', ...finishWrite(claim) },
    { name: 'remove', write: removeWrite(claim).write },
    { name: 'unclaim', ...unclaimWrite(claim, now) },
    { name: 'retry', ...retryWrite(claim, 'Error', now) },
    { name: 'park', ...parkWrite(claim, 'r', now) },
  ];
}

const isEnd = (name: WriteName): boolean => name === 'finish' || name === 'remove';

/** A write that ends a claim; its answer may be lost, and the hint after it. */
function own(state: State, i: number, holding: Holding, name: WriteName, write: Write, due?: Due): State {
  const row = applyWrite(state.row, write);
  const { ghost } = state;
  if (row === 'refused') {
    const broken = ghost.holder === holding.nonce ? `the holder's ${name} was refused` : undefined;
    return { ...state, workers: replaced(state.workers, i, undefined), ...(broken ? { broken } : {}) };
  }
  const after = (row ?? {}) as Work;
  const claims = name === 'unclaim' ? ghost.claims - 1 : name === 'retry' ? ghost.claims : 0;
  const broken =
    (ghost.holder !== holding.nonce && `${name} by a worker that had lost the row took effect`) ||
    (after.owner !== undefined && `${name} left an owner`) ||
    (due && (due.dueAt !== after.dueAt || due.lane !== after.lane) && `${name} names another due time`) ||
    (name === 'park' && (after.lane !== PARKED || !after.parked || after.dueAt === undefined)
      ? 'a parked row is not shown'
      : undefined) ||
    (name === 'park' && after.dueAt === holding.leaseEnd && 'a parked row is listed where its lease ended') ||
    (name === 'remove' && row !== undefined && 'a removed row is still there') ||
    (name === 'finish' && (after.lane ?? after.dueAt) !== undefined && 'a finished row is still due') ||
    ((after.claims ?? 0) !== claims && `${name} leaves ${after.claims} claims instead of ${claims}`) ||
    (name !== 'retry' &&
      name !== 'unclaim' &&
      after.lastFailure !== undefined &&
      `${name} leaves an old failure`) ||
    (name === 'retry' && after.lastFailure === undefined && 'a failure is not kept') ||
    undefined;
  return checked({
    ...state,
    row,
    workers: replaced(state.workers, i, { name, write, nonce: holding.nonce }),
    hints: due ? withHint(state.hints, due.lane, due.dueAt) : state.hints,
    // Nobody asks whether a removal that is sent again had its effect: what is gone has no work left.
    ghost: {
      leaseEnd: ghost.leaseEnd,
      claims,
      todo: !isEnd(name),
      ...(name === 'remove' ? {} : { releasedBy: holding.nonce }),
    },
    ...(broken ? { broken } : {}),
  });
}

/** The same release once more: refused, and recognized as done as long as the row has not changed since. */
function sentAgain(state: State, i: number, { write, name, nonce }: Unanswered): State {
  const row = applyWrite(state.row, write);
  const recognized = row === 'refused' && (state.row as Work | undefined)?.releasedBy === nonce;
  const broken =
    (row !== 'refused' && `${name} took effect twice`) ||
    (!recognized && state.ghost.releasedBy === nonce && `${name} is not recognized as done`) ||
    undefined;
  return { ...state, workers: replaced(state.workers, i, undefined), ...(broken ? { broken } : {}) };
}

/** A write that keeps the claim. */
function extend(
  state: State,
  i: number,
  holding: Holding,
  name: 'renew' | 'progress',
  mutate: Mutate,
): State | undefined {
  if (holding.claimsWithoutProgress >= MAX_CLAIMS || state.left.steps === 0) return undefined;
  const claim = { ...holding, row: KEY };
  const { write, leaseEnd } = (name === 'renew' ? renewWrite : progressWrite)(claim, state.now);
  const row = applyWrite(state.row, mutate(name, write));
  const { ghost } = state;
  const workers = (next: Holding | undefined) => replaced(state.workers, i, next);
  if (row === 'refused') return { ...state, workers: workers(undefined) };
  const after = row as Work;
  const claims = name === 'progress' ? 0 : ghost.claims;
  const broken =
    (ghost.holder !== holding.nonce && `${name} by a worker that had lost the row took effect`) ||
    (after.dueAt !== leaseEnd && `${name} does not move the end of the lease`) ||
    ((after.claims ?? 0) !== claims && `${name} leaves ${after.claims} claims instead of ${claims}`) ||
    (name === 'progress' && after.lastFailure !== undefined && 'progress leaves an old failure') ||
    undefined;
  return checked({
    ...state,
    row,
    left: { ...state.left, steps: state.left.steps - 1 },
    workers: workers({ ...holding, leaseEnd }),
    ghost: { ...ghost, leaseEnd, claims },
    ...(broken ? { broken } : {}),
  });
}

/** A writer that does not own the row: makes it due in a lane, or withdraws it. */
function order(state: State, lane: Lane | undefined, mutate: Mutate): State | undefined {
  const left = { ...state.left, orders: state.left.orders - 1 };
  const known = { ...KEY, dueAt: (state.row as Work | undefined)?.dueAt };
  const woken = lane && wake(known, lane, state.now);
  const name = woken ? 'wake' : 'withdraw';
  const row = applyWrite(state.row, mutate(name, woken ? woken.write : withdraw(KEY)));
  if (row === 'refused') return undefined;
  const after = row as Work;
  const broken =
    (after.owner !== undefined && `${name} left the row to its worker`) ||
    (after.claims !== undefined && `${name} leaves the claims of others counted`) ||
    (after.parked !== undefined && `${name} leaves the row shown as parked`) ||
    (after.lastFailure !== undefined && `${name} leaves an old failure`) ||
    (woken && (after.dueAt !== woken.due.dueAt || after.lane !== lane) && 'wake names another due time') ||
    (!woken && (after.lane ?? after.dueAt) !== undefined && 'a withdrawn row is still due') ||
    undefined;
  return checked({
    ...state,
    row,
    left,
    hints: woken ? withHint(state.hints, woken.due.lane, woken.due.dueAt) : state.hints,
    ghost: { leaseEnd: 0, claims: 0, todo: woken !== undefined },
    ...(broken ? { broken } : {}),
  });
}

/** The sweep names a row that is due; an index that lags names it as it was before. */
function swept(state: State): State {
  const { lane, dueAt } = (state.row ?? {}) as Work;
  if (lane === undefined || lane === PARKED || dueAt === undefined || dueAt > state.now) return state;
  return { ...state, hints: withHint(state.hints, lane as Lane, dueAt) };
}

/** Whatever is not finished is due some time, or parked and shown. */
function checked(state: State): State {
  if (state.broken || !state.ghost.todo) return state;
  const { lane, dueAt } = (state.row ?? {}) as Work;
  const due = lane !== undefined && dueAt !== undefined;
  return due ? state : { ...state, broken: 'unfinished work is not due any more' };
}

const hintName = (lane: Lane, dueAt: number): string => `${lane}@${dueAt}`;

function hintOf(name: string): Hint & { lane: Lane } {
  const [lane, dueAt] = name.split('@') as [Lane, string];
  return { ...KEY, lane, dueAt: Number(dueAt) };
}

const withHint = (hints: readonly string[], lane: Lane, dueAt: number): string[] =>
  [...new Set([...hints, hintName(lane, dueAt)])].sort();

const replaced = <T>(items: readonly T[], i: number, item: T): T[] =>
  items.map((each, at) => (at === i ? item : each));

/** Every way to leave out one clause or one part of a write. */
export function mutantsOf(name: WriteName, write: Write): { what: string; mutate: Mutate }[] {
  const update = write as Extract<Write, { update: unknown }>;
  const only = (change: (write: typeof update) => typeof update, what: string) => ({
    what: `${name} without ${what}`,
    mutate: ((each, given) => (each === name ? change(given as typeof update) : given)) as Mutate,
  });
  const without = (record: Readonly<Record<string, unknown>> | undefined, key: string) =>
    Object.fromEntries(Object.entries(record ?? {}).filter(([each]) => each !== key));
  return [
    ...(update.if ?? []).map((clause: Condition) =>
      only(
        (w) => ({ ...w, if: (w.if ?? []).filter((each) => each.attribute !== clause.attribute) }),
        `the condition on ${clause.attribute}`,
      ),
    ),
    ...Object.keys(update.set ?? {})
      .filter((key) => update.set?.[key] !== undefined)
      .map((key) => only((w) => ({ ...w, set: without(w.set, key) }), `setting ${key}`)),
    ...Object.keys(update.add ?? {}).map((key) =>
      only((w) => ({ ...w, add: without(w.add, key) as Record<string, number> }), `counting ${key}`),
    ),
    ...(update.remove ?? []).map((key: string) =>
      only((w) => ({ ...w, remove: (w.remove ?? []).filter((each) => each !== key) }), `removing ${key}`),
    ),
  ];
}

/** One write of each kind, as the code makes it. */
export function samples(): [WriteName, Write][] {
  const claim = {
    row: KEY,
    lane: LANE,
    nonce: 'n',
    hintedAt: 1,
    leaseEnd: 2,
    claimsWithoutProgress: 0,
  } as const;
  return [
    ['claim', claimWrite(LANE, { ...KEY, dueAt: 1 }, 'n', 1).write],
    ['again', againWrite(claim, 5).write],
    ['finish', finishWrite(claim).write],
    ['remove', removeWrite(claim).write],
    ['progress', progressWrite(claim, 5).write],
    ['renew', renewWrite(claim, 5).write],
    ['unclaim', unclaimWrite(claim, 5).write],
    ['retry', retryWrite(claim, 'Error', 5).write],
    ['park', parkWrite(claim, 'r', 5).write],
    ['wake', wake(KEY, LANE, 5).write],
    ['withdraw', withdraw(KEY)],
  ];
}
