import { readFileSync, writeFileSync } from 'node:fs';
import type { Run } from './count.ts';
import { MEASURES, type Measure, type Units } from './usage.ts';

/** A count that is kept, so that documents and tests have figures which stay. */
export type CountRecord = {
  /** YYYY-MM-DD. */
  readonly date: string;
  /** The command that made it. */
  readonly by: string;
  readonly run: Run;
  readonly units: Units;
};

const FILE = new URL('units.json', import.meta.url);

export const readRecord = (): CountRecord => JSON.parse(readFileSync(FILE, 'utf8')) as CountRecord;

/** Writes it anew, with thousandths. */
export function writeRecord(record: CountRecord): void {
  const rounded = (_: string, value: unknown) =>
    typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;
  writeFileSync(FILE, `${JSON.stringify(record, rounded, 2)}\n`);
}

/** Less than this is nothing: workers remember some rows for seconds, and so read them more or less often. */
const SLACK: Partial<Record<Measure, number>> = { readUnits: 0.75, logBytes: 60 };
/** A copy's reads are what is left of one play when all others are taken away: on a busy machine 1.3 fewer. */
const SLACK_OF_COPY: typeof SLACK = { readUnits: 2 };

/** Where two counts differ by more than a share of the second, as sentences. */
export function differences(counted: Units, recorded: Units, share: number): string[] {
  return (Object.keys(recorded) as (keyof Units)[]).flatMap((work) =>
    MEASURES.filter((measure) => {
      const [now, then] = [counted[work][measure], recorded[work][measure]];
      const slack = (work === 'copy' ? SLACK_OF_COPY[measure] : undefined) ?? SLACK[measure] ?? 0.05;
      return Math.abs(now - then) > Math.max(share * then, slack);
    }).map(
      (measure) =>
        `${work}: ${counted[work][measure].toFixed(1)} ${measure}, recorded as ${recorded[work][measure].toFixed(1)}`,
    ),
  );
}
