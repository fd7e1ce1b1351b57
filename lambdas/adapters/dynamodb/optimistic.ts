import { ConditionFailed } from './condition-failed.ts';

/** Every round has a winner, so this many writers at once all get through. */
const TRIES = 20;

/** That the first write was refused, such as the one that ends a claim: another worker has the row by now. */
export const firstRefused = ({ failed }: ConditionFailed): boolean => failed.includes(0);

/**
 * Runs a read followed by a conditional write. When another writer came in between, runs both again.
 * Throws the last {@link ConditionFailed} when others keep being faster.
 *
 * @param options.unless whether a refusal is final, and thrown at once
 */
export async function optimistic<T>(
  readAndWrite: () => Promise<T>,
  { unless = () => false }: { readonly unless?: (refused: ConditionFailed) => boolean } = {},
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readAndWrite();
    } catch (error) {
      if (!(error instanceof ConditionFailed) || attempt === TRIES || unless(error)) throw error;
    }
  }
}
