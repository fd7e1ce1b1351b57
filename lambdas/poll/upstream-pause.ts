import { absent, equals } from '../adapters/dynamodb/expression.ts';
import { optimistic } from '../adapters/dynamodb/optimistic.ts';
import { type Condition, ConditionFailed, type Table } from '../adapters/dynamodb/table.ts';
import { createPace, type Pace } from '../domain/polling/poll-limiter.ts';
import { type Brake, type BrakeSignal, braked, heldUntil } from '../domain/polling/upstream-pause.ts';
import { brakeKey } from '../domain/rows.ts';
import type { RowKey } from '../domain/work.ts';

type BrakeRow = RowKey & Brake;

/** Leave to send one poll after a brake, whose answer says whether it is lifted. */
export type Probe = { readonly probed: Brake };

export type UpstreamBrake = ReturnType<typeof createUpstreamBrake>;

/** How old the row may be that a worker goes by, ms. */
const FRESH_MS = 1_000;
/** How long the answer to a probe is waited for, ms: longer than a poll can take. */
const PROBE_MS = 15_000;
/** How long after a brake's end the polls begin that are not its probe, ms. */
const AFTER_PROBE_MS = 5_000;

/**
 * The brake row: by it all pollers of the account stop, and go on by one probe when it ends.
 *
 * @param options.perSecond the pace at which this worker's polls go on afterwards
 */
export function createUpstreamBrake(options: {
  table: Table;
  now: () => number;
  random: () => number;
  perSecond: number;
  onApply: (brake: Brake) => void;
}) {
  const { table, now, random, perSecond, onApply } = options;
  let seen: { brake: BrakeRow | undefined; at: number } | undefined;
  let waiting: { until: number; probed: boolean; pace: Pace } | undefined;

  async function current(): Promise<BrakeRow | undefined> {
    if (!seen || now() - seen.at >= FRESH_MS) see(await table.get<BrakeRow>(brakeKey));
    return seen?.brake;
  }

  function see(brake: BrakeRow | undefined): void {
    seen = { brake, at: now() };
  }

  /**
   * When a row that is due now is to be due instead, ms since epoch; undefined when it may be polled.
   * One row is due when the brake ends, to be its probe; the others follow at the pace.
   */
  async function resumeAt(): Promise<number | undefined> {
    const queue = await queued();
    if (!queue || queue.probed) return behind(queue);
    queue.probed = true;
    return queue.until;
  }

  /** As {@link resumeAt}, for the row that upstream refused: whether it alone is meant, another's probe tells. */
  const resumeBehind = async (): Promise<number | undefined> => behind(await queued());

  /** The rows that wait for the brake's end; undefined when there is nothing to wait for. */
  async function queued() {
    const until = heldUntil(await current());
    if (until === undefined || until <= now()) return undefined;
    if (waiting?.until !== until) waiting = { until, probed: false, pace: createPace(perSecond) };
    return waiting;
  }

  const behind = (queue: Awaited<ReturnType<typeof queued>>): number | undefined =>
    queue?.pace.reserve(queue.until + AFTER_PROBE_MS);

  /** Leave to poll now. After a brake one worker gets it, for a probe, until that is answered. */
  async function enter(): Promise<'go' | 'held' | Probe> {
    const brake = await current();
    if (!brake) return 'go';
    if ((heldUntil(brake) ?? 0) > now()) return 'held';
    const probed = { ...brake, probeUntil: now() + PROBE_MS };
    // Seen before it is written, so that this worker's other polls do not compete for it.
    see(probed);
    try {
      const set = { probeUntil: probed.probeUntil };
      await table.write({ update: brakeKey, set, if: unchanged(brake) });
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      const present = error.rows.get(0) as BrakeRow | undefined;
      see(present);
      return present ? 'held' : 'go';
    }
    return { probed };
  }

  /** Brakes all polling after a signal from upstream. */
  async function apply(signal: BrakeSignal): Promise<void> {
    // Of two workers that brake at once the longer wait counts.
    await optimistic(async () => {
      const previous = await table.get<BrakeRow>(brakeKey);
      const brake = braked(previous, signal, now(), random());
      see({ ...brakeKey, ...brake });
      if (brake.until === previous?.until) return;
      await table.write({
        put: { ...brakeKey, ...brake },
        if: previous ? unchanged(previous) : [absent('pk')],
      });
      if (brake.strikes !== previous?.strikes) onApply(brake);
    });
  }

  /** Lifts the brake after the answer to its probe showed upstream well. */
  async function lift({ probed }: Probe): Promise<void> {
    see(undefined);
    try {
      await table.write({ delete: brakeKey, if: unchanged(probed) });
    } catch (error) {
      // A signal came after the probe was sent, and says more.
      if (!(error instanceof ConditionFailed)) throw error;
    }
  }

  return { resumeAt, resumeBehind, enter, apply, lift };
}

const unchanged = ({ until, probeUntil }: Brake): Condition[] => [
  equals('until', until),
  probeUntil === undefined ? absent('probeUntil') : equals('probeUntil', probeUntil),
];
