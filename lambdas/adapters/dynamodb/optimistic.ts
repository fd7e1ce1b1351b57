import { ConditionFailed } from './table.ts';

/** Every round has a winner, so this many writers at once all get through. */
const TRIES = 20;

/**
 * Runs a read followed by a conditional write; when somebody else wrote in between, both again with
 * what is there now. Throws the last {@link ConditionFailed} when others keep being faster.
 *
 * @param options.claimAt the place in the transaction of the write that ends a claim: when that one is
 *   refused the row is another worker's, so the error is thrown at once
 */
export async function optimistic<T>(
  readAndWrite: () => Promise<T>,
  { claimAt }: { readonly claimAt?: number } = {},
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readAndWrite();
    } catch (error) {
      if (!(error instanceof ConditionFailed) || attempt === TRIES) throw error;
      if (claimAt !== undefined && error.failed.includes(claimAt)) throw error;
    }
  }
}
