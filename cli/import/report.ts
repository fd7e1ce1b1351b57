import { appendFileSync, rmSync } from 'node:fs';
import type { ProblemDetails } from '../../client/client.ts';

/** A line of the file that is not registered as it stands, and why. */
export type Finding = {
  readonly line: number;
  readonly requestId?: string;
  /**
   * `repeated`: the same as an earlier line. `differs`: its id is in an earlier line, or was registered from one by an
   * earlier run, with other values.
   */
  readonly kind: 'unreadable' | 'repeated' | 'differs' | 'refused';
  /** What the bridge answered. */
  readonly status?: number;
  readonly reason: string;
  /** What is wrong with which field. */
  readonly errors?: ProblemDetails['errors'];
};

export type Report = ReturnType<typeof createReport>;

/** Findings as JSON lines. The file is there only if there are any; that of an earlier run is replaced. */
export function createReport(path: string | undefined) {
  let count = 0;
  if (path !== undefined) rmSync(path, { force: true });
  return {
    path,
    count: () => count,
    add(finding: Finding): void {
      count++;
      if (path !== undefined) appendFileSync(path, `${JSON.stringify(finding)}\n`, { mode: 0o600 });
    },
  };
}
