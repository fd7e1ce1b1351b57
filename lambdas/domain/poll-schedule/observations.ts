/**
 * What a poll saw. In the memory, the first poll that saw this status and progress together. Times are ms
 * since epoch.
 */
export type Observation = {
  at: number;
  status?: string;
  /** Percent; missing when upstream gave none. */
  progress?: number;
  /** The last poll that did not yet see it: the change lies between `after` and `at`. */
  after?: number;
  /** The last poll that still saw it, when there was more than one. */
  until?: number;
};

/** The beginning of a status and its last five steps tell the pace; more do not improve it measurably. */
const remembered = 6;

/**
 * The memory after one more poll: the beginning of the present status and its latest changes of progress, oldest
 * first. Give `at`, `status` and `progress` only.
 */
export function observe(observations: readonly Observation[], observation: Observation): Observation[] {
  const { at, status } = observation;
  const progress = Number.isFinite(observation.progress) ? observation.progress : undefined;
  const last = observations.at(-1);
  if (last && last.status === status && last.progress === progress) {
    return [...observations.slice(0, -1), { ...last, until: at }];
  }
  const change: Observation = { at };
  if (status !== undefined) change.status = status;
  if (progress !== undefined) change.progress = progress;
  if (last) change.after = last.until ?? last.at;
  const [beginning, ...steps] = observations;
  if (!beginning || beginning.status !== status) return [change];
  return [beginning, ...[...steps, change].slice(1 - remembered)];
}
