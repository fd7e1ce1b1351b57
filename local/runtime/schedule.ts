const unitMs: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** The period in ms of a `rate(...)` expression. Throws for any other, `cron` included. */
export function periodMs(expression: string): number {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const ms = Number(count) * (unitMs[unit ?? ''] ?? Number.NaN);
  if (!(ms > 0)) throw new Error(`The local runtime knows rate(...) schedules only, not ${expression}.`);
  return ms;
}

/** Invokes at once and then once a period, whether or not the last invocation has ended. Returns how to stop it. */
export function startSchedule(
  periodMs: number,
  invoke: () => Promise<unknown>,
  log: (line: string) => void,
): () => void {
  const run = () => {
    invoke().catch((error: Error) => log(error.message));
  };
  run();
  const timer = setInterval(run, periodMs);
  return () => clearInterval(timer);
}
