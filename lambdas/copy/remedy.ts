import type { CopyRow } from '../domain/copying/copy.ts';
import { remedyFor } from '../domain/copying/copy-fault.ts';
import type { CopyDependencies } from './copy-dependencies.ts';
import { type CopyFault, faultOf } from './fault-of.ts';
import { reportFailure } from './report-failure.ts';

/** How a copy, or a segment of one, carries out the remedies. `wait` and `renew` give up after too many failures. */
type Remedies = {
  readonly fail: (reason: string) => Promise<void>;
  readonly restart: (reason: string, streamed: boolean) => Promise<void>;
  readonly renew: (fault: CopyFault) => Promise<void>;
  readonly wait: (fault: CopyFault) => Promise<void>;
};

/**
 * Carries out what the rule says about an error (domain/copying/copy-fault.ts), and shows why the copy waits.
 * Throws an error that the engine judges: a denial, or one that no rule names.
 */
export async function remedy(
  use: CopyDependencies,
  copy: CopyRow,
  error: unknown,
  carryOut: Remedies,
): Promise<void> {
  const fault = faultOf(error);
  if (!fault) throw error;
  const { kind, reason } = fault;
  const { requestId, restarts } = copy;
  const what = remedyFor(kind, restarts);
  switch (what) {
    case 'stop':
      return;
    case 'park':
      await use.shown.showFailure(requestId, reason);
      throw error;
    case 'fail':
      return carryOut.fail(reason);
    case 'restart':
    case 'stream':
      reportFailure(use, copy, 'copy begins again', { reason });
      await carryOut.restart(reason, what === 'stream');
      break;
    case 'renew':
      await carryOut.renew(fault);
      break;
    case 'wait':
      await carryOut.wait(fault);
  }
  // The end of a worker's time is not a failure.
  if (kind !== 'time') await use.shown.showFailure(requestId, reason);
}
