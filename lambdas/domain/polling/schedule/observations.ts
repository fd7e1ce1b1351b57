/**
 * What a poll saw. One that is remembered stands for all polls in a row that saw the same; `at` is the first of
 * them. Times are ms since epoch.
 */
export type Observation = {
  at: number;
  /** Of those that are remembered, only the first carries it: all are of one status. */
  status?: string;
  /** Percent; missing when upstream gave none. */
  progress?: number;
  /** The last poll that did not yet see it: the change lies between `after` and `at`. */
  after?: number;
  /** The last poll that still saw it, when there was more than one. */
  until?: number;
};

/** The beginning of a status and its last steps give the rate; more steps do not improve it measurably. */
const REMEMBERED = 8;

/**
 * The memory after one more poll, oldest first: the beginning of the present status and its latest changes of
 * progress. Give `at`, `status` and `progress` of a poll that was answered.
 */
export function observe(observations: readonly Observation[], observation: Observation): Observation[] {
  const { at, status } = observation;
  const progress = Number.isFinite(observation.progress) ? observation.progress : undefined;
  const [beginning, ...steps] = observations;
  const last = observations.at(-1);
  const change: Observation = { at };
  if (progress !== undefined) change.progress = progress;
  if (last) change.after = last.until ?? last.at;

  if (!beginning || !last || beginning.status !== status) {
    return [status === undefined ? change : { ...change, status }];
  }
  if (last.progress === progress) return [...observations.slice(0, -1), { ...last, until: at }];
  return [beginning, ...[...steps, change].slice(1 - REMEMBERED)];
}
