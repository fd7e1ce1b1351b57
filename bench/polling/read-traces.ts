import { readFileSync } from 'node:fs';
import { type Exported, observedTrace } from './observed-trace.ts';
import type { Trace } from './trace.ts';

/** The jobs of a file, and what of it was left out. */
export type Traces = {
  readonly traces: Trace[];
  /** Whether they are what a bridge observed, from `topaz-bridge export`. */
  readonly observed: boolean;
  /** Requests of an export that have not ended, or that were never seen to begin. */
  readonly unended: number;
};

/**
 * Reads jobs, one JSON a line: traces, or an export of `topaz-bridge`, whose lines of requests count.
 *
 * @throws {Error} with the line's number, when one is neither
 */
export function readTraces(file: string): Traces {
  const lines = readFileSync(file, 'utf8').split('\n');
  const parsed = lines.flatMap((line, index) => (line.trim() ? [parse(line, `${file}:${index + 1}`)] : []));
  const exported = parsed.filter((each) => 'kind' in each);
  if (exported.length === 0) return { traces: parsed as Trace[], observed: false, unended: 0 };
  if (exported.length < parsed.length)
    throw new Error(`${file} mixes traces with lines of an export: give one or the other.`);
  const requests = exported.flatMap((each) => (each.kind === 'request' ? [each] : []));
  const traces = requests.flatMap((each) => observedTrace(each) ?? []);
  if (traces.length === 0) throw new Error(`${file} has no job that has ended: export more requests.`);
  return { traces, observed: true, unended: requests.length - traces.length };
}

function parse(line: string, place: string): Trace | Exported {
  let trace: Partial<Trace> | Exported;
  try {
    trace = JSON.parse(line) as Partial<Trace> | Exported;
  } catch (cause) {
    throw new Error(`${place} is not JSON: give one trace a line.`, { cause });
  }
  if (typeof trace !== 'object' || trace === null)
    throw new Error(`${place} is no trace: give one object a line.`);
  if ('kind' in trace) return trace;
  if (!trace.statuses?.length) throw new Error(`${place} has no statuses: give [[status, seconds], ...].`);
  return {
    ...trace,
    requestId: trace.requestId ?? place,
    statuses: trace.statuses,
    progress: trace.progress ?? [],
    estimates: Array.isArray(trace.estimates?.time) ? trace.estimates : undefined,
  };
}
