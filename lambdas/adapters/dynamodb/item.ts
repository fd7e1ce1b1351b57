import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { ROW_VERSION } from '../../domain/rows.ts';
import type { RowKey } from '../../domain/work.ts';

/** A row as DynamoDB's client takes and gives it. */
export type Item = Record<string, AttributeValue>;

const MARSHALL = {
  removeUndefinedValues: true,
  // A map whose keys come from outside may have one named "constructor", by which the SDK takes it for an instance.
  convertClassInstanceToMap: true,
};

export const itemOf = (values: Readonly<Record<string, unknown>>): Item => marshall(values, MARSHALL);

/** A row that is put, with the version of its shape. One that was read from a later release keeps its own. */
export const putItem = (row: RowKey & { readonly v?: number }): Item =>
  itemOf({ ...row, v: Math.max(ROW_VERSION, row.v ?? 0) });

export const rowOf = <T>(item: Item): T => unmarshall(item) as T;

/** The key alone, of a whole row too. */
export const keyItem = ({ pk, sk }: RowKey): Item => itemOf({ pk, sk });
