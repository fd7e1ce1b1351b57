import type { DeliverDependencies } from './deliver-dependencies.ts';

/** Does work beside an attempt that does not decide its result: an error is only logged. */
export async function aside<T>(
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
