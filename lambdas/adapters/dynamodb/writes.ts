import { setTimeout as sleep } from 'node:timers/promises';
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { backoff } from '../../domain/backoff.ts';
import type { RowKey } from '../../domain/work.ts';
import { ConditionFailed, type Row } from './condition-failed.ts';
import { expressions, type Write } from './expression.ts';
import { type Item, itemOf, keyItem, putItem, rowOf } from './item.ts';
import type { createReads } from './reads.ts';
import { causeToRetry } from './refused-for-now.ts';

const CONFLICT_TRIES = 8;
/** Stands in for the condition of a write that neither changes nor demands anything, so that it keeps its place. */
const HOLDS_ALWAYS = 'attribute_exists(pk) OR attribute_not_exists(pk)';
/** Writes that one transaction takes. */
export const MAX_WRITES = 100;
/** The longest waits before a write is sent again. */
const WAITS = {
  conflict: { firstMs: 50, longestMs: 20_000 },
  throttled: { firstMs: 1_000, longestMs: 20_000 },
};

/**
 * Writes of the one table. A refused condition becomes {@link ConditionFailed}. Retries a write that conflicts
 * with a transaction, and a throttled transaction, because the SDK retries neither. Other errors are thrown
 * unchanged.
 */
export function createWrites(
  client: DynamoDBClient,
  tableName: string,
  get: ReturnType<typeof createReads>['get'],
  random: () => number,
) {
  /**
   * Applies one write and returns the row as it is afterwards; undefined after a delete or put, or when the
   * caller wants nothing, which spares reading the answer.
   */
  async function write<T extends RowKey>(
    change: Write,
    wanted: 'row' | 'nothing' = 'row',
  ): Promise<T | undefined> {
    if ('check' in change) throw new Error('a check stands only in a transaction');
    const common = commonOf(change);
    // DynamoDB refuses an update with an empty expression.
    if ('update' in change && common.UpdateExpression === undefined) {
      await transact([change]);
      return get<T>(change.update);
    }
    return withRetries(async () => {
      if ('put' in change) {
        await client.send(new PutItemCommand({ ...common, Item: putItem(change.put) }));
        return undefined;
      }
      if ('delete' in change) {
        await client.send(new DeleteItemCommand({ ...common, Key: keyItem(change.delete) }));
        return undefined;
      }
      const { Attributes } = await client.send(
        new UpdateItemCommand({
          ...common,
          Key: keyItem(change.update),
          ReturnValues: wanted === 'row' ? 'ALL_NEW' : 'NONE',
        }),
      );
      return Attributes && rowOf<T>(Attributes);
    });
  }

  /** Applies all writes or none; at most {@link MAX_WRITES}. */
  async function transact(changes: readonly Write[]): Promise<void> {
    const items = changes.map((change): TransactWriteItem => {
      const common = commonOf(change);
      if ('put' in change) return { Put: { ...common, Item: putItem(change.put) } };
      if ('delete' in change) return { Delete: { ...common, Key: keyItem(change.delete) } };
      const Key = keyItem('check' in change ? change.check : change.update);
      const { UpdateExpression, ...rest } = common;
      if (UpdateExpression !== undefined) return { Update: { ...rest, UpdateExpression, Key } };
      return { ConditionCheck: { ConditionExpression: HOLDS_ALWAYS, ...rest, Key } };
    });
    await withRetries(() => client.send(new TransactWriteItemsCommand({ TransactItems: items })));
  }

  /**
   * Sends a write, again while transactions of others are in its way, and again as often as the client itself tries
   * when a transaction was throttled: the SDK tries those once.
   */
  async function withRetries<R>(send: () => Promise<R>): Promise<R> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await send();
      } catch (error) {
        const refused = refusal(error);
        if (refused) throw refused;
        const cause = causeToRetry(error);
        const tries = cause === 'throttled' ? await client.config.maxAttempts() : CONFLICT_TRIES;
        if (!cause || attempt >= tries) throw error;
        await sleep(random() * backoff(attempt, WAITS[cause]));
      }
    }
  }

  function commonOf(change: Write) {
    const { ExpressionAttributeValues: values, ...rest } = expressions(change);
    return {
      TableName: tableName,
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
      ...rest,
      ...(values ? { ExpressionAttributeValues: itemOf(values) } : {}),
    };
  }

  return { write, transact };
}

/** The conditions that did not hold, if that is why the write failed. */
function refusal(error: unknown): ConditionFailed | undefined {
  if (error instanceof ConditionalCheckFailedException) return failedAt([[0, error.Item]]);
  if (!(error instanceof TransactionCanceledException)) return undefined;
  const failed = (error.CancellationReasons ?? []).flatMap(
    ({ Code, Item }, i): [number, Item | undefined][] =>
      Code === 'ConditionalCheckFailed' ? [[i, Item]] : [],
  );
  return failed.length > 0 ? failedAt(failed) : undefined;
}

function failedAt(failures: readonly (readonly [number, Item | undefined])[]): ConditionFailed {
  const rows = failures.flatMap(([i, item]): [number, Row][] => (item ? [[i, rowOf<Row>(item)]] : []));
  return new ConditionFailed(
    failures.map(([i]) => i),
    new Map(rows),
  );
}
