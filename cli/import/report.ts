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

/**
 * Findings as JSON lines. The file is there only if there are any. That of an earlier run stays until the first finding or
 * the end: a run that cannot begin has nothing to say.
 */
export function createReport(path: string | undefined) {
  let count = 0;
  const removeEarlier = () => {
    if (path !== undefined && count === 0) rmSync(path, { force: true });
  };
  return {
    path,
    count: () => count,
    add(finding: Finding): void {
      removeEarlier();
      count++;
      if (path !== undefined) appendFileSync(path, `${JSON.stringify(finding)}\n`, { mode: 0o600 });
    },
    /** After the whole file was read. */
    end: removeEarlier,
  };
}
