import type { Attempt } from '../../client/client.ts';

/** Whether the receiver took what an attempt sent; a pull endpoint acknowledges it without a status code. */
export const isTaken = ({
  statusCode = 200,
  error,
  reason,
}: Pick<Attempt, 'statusCode' | 'error' | 'reason'>): boolean =>
  error === undefined && reason === undefined && statusCode < 300;
