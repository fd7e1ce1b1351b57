import type { DeliveryRow } from '../domain/delivering/delivery.ts';
import { idsOf } from '../domain/row-ids.ts';
import type { DeliverDependencies } from './deliver-dependencies.ts';

/** Waits for work that must not change the result of a delivery's attempt: an error is only logged, and gives undefined. */
export async function bestEffort<T>(
  { log }: Pick<DeliverDependencies, 'log'>,
  row: DeliveryRow,
  message: string,
  work: Promise<T>,
): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    log.error(message, { ...idsOf(row), error });
    return undefined;
  }
}
