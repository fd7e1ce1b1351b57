/** The lines of the log that say why a copy waits or begins again; the saved query "failed copies" lists them. */
export const COPY_FAILURES = [
  'copy waits',
  'copy begins again',
  'segment waits',
  'source refused its URL',
] as const;

export type CopyFailure = (typeof COPY_FAILURES)[number];
