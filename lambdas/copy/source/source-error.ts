import { ExchangeError } from '../../adapters/http/exchange-error.ts';
import type { SourceFault } from '../../domain/copying/source-answer.ts';

/** The source failed; `fault` says how. Never holds the URL. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
  readonly fault: SourceFault;

  constructor(fault: SourceFault) {
    super(fault.reason);
    this.fault = fault;
  }
}

/** The exchange failed: the same again may work. */
export const broken = (reason: string): SourceError => new SourceError({ kind: 'broken', reason });

/** Not now: a later try may find another answer. */
export const busy = (reason: string): SourceError => new SourceError({ kind: 'busy', reason });

/** Nothing that a later try could change. */
export const unusable = (reason: string): SourceError => new SourceError({ kind: 'unusable', reason });

/** Any error of an exchange with the source as a {@link SourceError}. */
export function asSourceError(error: unknown, host: string): SourceError {
  if (error instanceof SourceError) return error;
  if (error instanceof ExchangeError) {
    return error.class === 'address_refused' ? unusable(error.what) : broken(error.what);
  }
  const { code, name } = error as NodeJS.ErrnoException;
  return broken(`the connection to ${host} failed (${code ?? name})`);
}
