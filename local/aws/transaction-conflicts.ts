import type { AwsCall, JsonAnswer, Layer } from './front-door.ts';
import type { Random } from './random.ts';
import { type RowChanges, rowId } from './row-changes.ts';
import { awsError } from './stubs.ts';

/**
 * Refuses a write of a row that a transaction at work writes, too, as DynamoDB does; the emulators let one wait for
 * the other. `share` of the writes meet a conflict even without an overlap here: transactions on AWS take longer.
 */
export function transactionConflicts(changes: RowChanges, share: number, random: Random): Layer {
  const inTransaction = new Map<string, number>();

  return async (call, next) => {
    if (call.service !== 'dynamodb') return next(call);
    const changed = await changes.of(call, next);
    if (changed.length === 0) return next(call);
    const ids = changed.map(({ table, key }) => rowId(table, key));
    const unlucky = random() < share ? Math.floor(random() * ids.length) : -1;
    const conflicts = changed
      .filter((_, i) => inTransaction.has(ids[i]!) || i === unlucky)
      .map(({ place }) => place);
    const isTransaction = call.operation === 'TransactWriteItems';
    if (conflicts.length > 0) return isTransaction ? cancel(call, conflicts) : refuse();
    if (!isTransaction) return next(call);
    for (const id of ids) inTransaction.set(id, (inTransaction.get(id) ?? 0) + 1);
    try {
      return await next(call);
    } finally {
      for (const id of ids) {
        const left = inTransaction.get(id)! - 1;
        if (left > 0) inTransaction.set(id, left);
        else inTransaction.delete(id);
      }
    }
  };
}

const MESSAGE = 'Transaction is ongoing for the item';

function refuse(): JsonAnswer {
  return awsError(400, 'TransactionConflictException', MESSAGE);
}

/** `conflicts` are the places of the items that are in the way. */
function cancel({ body = {} }: AwsCall, conflicts: number[]): JsonAnswer {
  const CancellationReasons = (body.TransactItems as unknown[]).map((_, place) =>
    conflicts.includes(place) ? { Code: 'TransactionConflict', Message: MESSAGE } : { Code: 'None' },
  );
  const codes = CancellationReasons.map(({ Code }) => Code).join(', ');
  const canceled = awsError(
    400,
    'TransactionCanceledException',
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
  );
  return { ...canceled, body: { ...canceled.body, CancellationReasons } };
}
