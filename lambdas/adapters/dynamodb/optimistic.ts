import { ConditionFailed } from './table.ts';

/** Of as many writers at once each is done by then, since every round has a winner. */
const TRIES = 12;

/**
 * Runs a read followed by a conditional write; when somebody else wrote in between, both again with
 * what is there now. Throws the last {@link ConditionFailed} when others keep being faster.
 */
export async function optimistic<T>(readAndWrite: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readAndWrite();
    } catch (error) {
      if (!(error instanceof ConditionFailed) || attempt === TRIES) throw error;
    }
  }
}
