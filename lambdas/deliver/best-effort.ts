import type { DeliverDependencies } from './deliver-dependencies.ts';

/** Waits for work that must not change the result of an attempt: an error is only logged, and gives undefined. */
export async function bestEffort<T>(
  { log }: Pick<DeliverDependencies, 'log'>,
  message: string,
  work: Promise<T>,
): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    log.error(message, { error });
    return undefined;
  }
}
