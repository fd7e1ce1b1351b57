import { ConditionFailed } from '../adapters/dynamodb/condition-failed.ts';
import { absent, asRead, type Condition, equals } from '../adapters/dynamodb/expression.ts';
import { optimistic } from '../adapters/dynamodb/optimistic.ts';
import type { Table } from '../adapters/dynamodb/table.ts';
import { writeIf } from '../adapters/dynamodb/write-if.ts';
import { heldUntil, type PauseSignal, paused, type UpstreamPause } from '../domain/polling/upstream-pause.ts';
import { upstreamPauseKey } from '../domain/rows.ts';
import type { RowKey } from '../domain/work.ts';

type PauseRow = RowKey & UpstreamPause;

/** Whether a worker may poll now. */
type Permit =
  | { readonly kind: 'go' }
  /** The first poll after a pause. Its answer says whether the pause ends. */
  | { readonly kind: 'probe'; readonly pause: UpstreamPause }
  /** Not before `until`, ms since epoch. */
  | { readonly kind: 'held'; readonly until: number };

export type UpstreamPauses = ReturnType<typeof createUpstreamPauses>;

/** How long a worker assumes that there is no pause, ms. A pause is read at every poll: a person may end it. */
const FRESH_MS = 1_000;
/** How long the answer to a probe is awaited, ms: longer than a poll can take. */
const PROBE_MS = 15_000;

const GO: Permit = { kind: 'go' };

/** The pause row: it makes all pollers of the account stop, and resume with one probe. */
export function createUpstreamPauses(options: {
  table: Table;
  now: () => number;
  random: () => number;
  /** Called when a pause begins or grows. */
  onApply: (pause: UpstreamPause) => void;
}) {
  const { table, now, random, onApply } = options;
  let noneAt: number | undefined;

  async function current(): Promise<PauseRow | undefined> {
    if (noneAt !== undefined && now() - noneAt < FRESH_MS) return undefined;
    const pause = await table.get<PauseRow>(upstreamPauseKey);
    noneAt = pause ? undefined : now();
    return pause;
  }

  /** A permit to poll now. After a pause one worker gets a probe, and all others wait for its answer. */
  async function enter(): Promise<Permit> {
    const pause = await current();
    if (!pause) return GO;
    const held = heldUntil(pause) ?? 0;
    const at = now();
    if (held > at) return { kind: 'held', until: held };
    const probed = { ...pause, probeUntil: at + PROBE_MS };
    try {
      const set = { probeUntil: probed.probeUntil };
      await table.write({ update: upstreamPauseKey, set, if: unchanged(pause) });
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      const present = error.rows.get(0) as PauseRow | undefined;
      return present ? { kind: 'held', until: heldUntil(present) ?? at } : GO;
    }
    return { kind: 'probe', pause: probed };
  }

  /** Pauses all polling after a signal from upstream; returns until when, ms since epoch. */
  async function apply(signal: PauseSignal): Promise<number> {
    noneAt = undefined;
    // Of two workers that apply a pause at once the longer wait counts.
    return optimistic(async () => {
      const previous = await table.get<PauseRow>(upstreamPauseKey);
      const pause = paused(previous, signal, now(), random());
      if (pause.until === previous?.until) return pause.until;
      await table.write({
        put: { ...upstreamPauseKey, ...pause },
        if: previous ? unchanged(previous) : [absent('pk')],
      });
      if (pause.strikes !== previous?.strikes) onApply(pause);
      return pause.until;
    });
  }

  /** Ends the pause after the answer to its probe; a signal that came since is newer, and stays. */
  async function lift(probed: UpstreamPause): Promise<void> {
    await writeIf(table, { delete: upstreamPauseKey, if: unchanged(probed) });
  }

  return { enter, apply, lift };
}

const unchanged = ({ until, probeUntil }: UpstreamPause): Condition[] => [
  equals('until', until),
  asRead('probeUntil', probeUntil),
];
