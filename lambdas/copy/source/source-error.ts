import { ExchangeError } from '../../adapters/http/exchange-error.ts';
import type { SourceFault } from '../../domain/copying/source-answer.ts';

/** The source did not give what it should; says what that means for the copy. Never holds the URL. */
export class SourceTrouble extends Error {
  override readonly name = 'SourceTrouble';
  readonly fault: SourceFault;

  constructor(fault: SourceFault) {
    super(fault.reason);
    this.fault = fault;
  }
}

/** A trouble of the connection: the same again may work. */
export const broken = (reason: string): SourceTrouble => new SourceTrouble({ kind: 'broken', reason });

/** Nothing that a later try could change. */
export const unusable = (reason: string): SourceTrouble => new SourceTrouble({ kind: 'unusable', reason });

/** Any error of an exchange with the source as a {@link SourceTrouble}. */
export function asTrouble(error: unknown, host: string): SourceTrouble {
  if (error instanceof SourceTrouble) return error;
  if (error instanceof ExchangeError) {
    return error.class === 'address_refused' ? unusable(error.message) : broken(error.message);
  }
  const { code, name } = error as NodeJS.ErrnoException;
  return broken(`the connection to ${host} failed (${code ?? name})`);
}
