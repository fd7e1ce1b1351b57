import type { Table } from '../adapters/table.ts';
import type { BrakeSignal } from '../adapters/topaz.ts';
import { type Brake, braked } from '../domain/brake.ts';
import { brakeKey } from '../domain/rows.ts';
import type { RowKey } from '../domain/work.ts';

type BrakeRow = RowKey & Brake;

export type UpstreamBrake = ReturnType<typeof createUpstreamBrake>;

/** The brake row, read at most once a second by a worker: all pollers of the account stop by it. */
export function createUpstreamBrake(options: {
  table: Table;
  now: () => number;
  random: () => number;
  onApply: (brake: Brake) => void;
}) {
  const { table, now, random, onApply } = options;
  let seen: { row: BrakeRow | undefined; at: number } | undefined;

  async function row(): Promise<BrakeRow | undefined> {
    if (!seen || now() - seen.at >= 1_000) seen = { row: await table.get<BrakeRow>(brakeKey), at: now() };
    return seen.row;
  }

  /** When polling may go on, ms since epoch; undefined when nothing holds it. */
  async function until(): Promise<number | undefined> {
    const brake = await row();
    return brake && brake.until > now() ? brake.until : undefined;
  }

  /** Brakes all polling after a signal from upstream, and says until when. */
  async function apply(signal: BrakeSignal): Promise<number> {
    const previous = await row();
    // Polls that were under way together count as one strike.
    if (previous && previous.until > now()) return previous.until;
    const brake = braked(previous, signal, now(), random());
    seen = { row: { ...brakeKey, ...brake }, at: now() };
    await table.write({ put: seen.row as BrakeRow });
    onApply(brake);
    return brake.until;
  }

  /** Forgets the brake after an answer that shows upstream well. */
  async function lift(): Promise<void> {
    if (!(await row())) return;
    seen = { row: undefined, at: now() };
    await table.write({ delete: brakeKey });
  }

  return { until, apply, lift };
}
