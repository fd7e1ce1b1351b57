import type { AwsCall, JsonAnswer, Layer } from '../../../local/aws/front-door.ts';
import { RowChanges } from '../../../local/aws/row-changes.ts';

/** The table of the layers' tests: rows by `pk` and `sk`, an index `due` by `lane` and `dueAt`. */
export const rows = () =>
  new RowChanges(new Map([['Table', { key: ['pk', 'sk'], indexes: { due: ['lane', 'dueAt'] } }]]));

export const item = (given: Record<string, string | number>) =>
  Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name,
      typeof value === 'number' ? { N: String(value) } : { S: value },
    ]),
  );

/** What a layer makes of a call whose answer is `answer`. */
export function through(layer: Layer, answer: (call: AwsCall) => Promise<JsonAnswer> | JsonAnswer) {
  return (service: AwsCall['service'], operation: string, body: Record<string, unknown>, trace?: string) =>
    layer({ caller: 'poll', service, operation, body, ...(trace && { trace }) }, async (call) =>
      answer(call),
    );
}
