import { RemovalPolicy } from 'aws-cdk-lib';
import {
  type AttributeType,
  Billing,
  type ITableV2,
  ProjectionType,
  TableEncryptionV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { TABLE_SCHEMA, type TableIndex } from '../lambdas/domain/table-schema.ts';
import type { BridgeFunction } from './bridge-function.ts';

// DynamoDB uses a customer key in the caller's name.
const READ_KEY = ['kms:Decrypt', 'kms:DescribeKey'];
const WRITE_KEY = [
  'kms:Encrypt',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
];

/** What a stage does with rows, by the names of DynamoDB's actions; a transaction is allowed by those of its items. */
export type TableUse = {
  readonly actions: readonly TableAction[];
  /** The indexes that it queries. */
  readonly indexes?: readonly TableIndex[];
};
type TableAction =
  | 'GetItem'
  | 'BatchGetItem'
  | 'Query'
  | 'PutItem'
  | 'UpdateItem'
  | 'DeleteItem'
  | 'ConditionCheckItem';

export type BridgeTableProps = {
  /** An existing table to use. */
  readonly tableName?: string;
  readonly customerKey?: IKey;
  readonly formerKeys: readonly IKey[];
};

/** The one table: every row of the bridge, the due ones in the index `due`, lists in `list`. */
export class BridgeTable extends Construct {
  readonly table: ITableV2;
  private readonly keys: readonly IKey[];

  constructor(scope: Construct, id: string, { tableName, customerKey, formerKeys }: BridgeTableProps) {
    super(scope, id);
    this.keys = customerKey ? [customerKey, ...formerKeys] : formerKeys;
    this.table = tableName ? TableV2.fromTableName(this, 'Table', tableName) : this.newTable(customerKey);
  }

  private newTable(customerKey: IKey | undefined): TableV2 {
    return new TableV2(this, 'Table', {
      ...keys(TABLE_SCHEMA.key),
      timeToLiveAttribute: TABLE_SCHEMA.expiry,
      globalSecondaryIndexes: Object.entries(TABLE_SCHEMA.indexes).map(([indexName, names]) => ({
        indexName,
        ...keys(names),
        projectionType: ProjectionType.KEYS_ONLY,
      })),
      billing: Billing.onDemand(),
      encryption: customerKey
        ? TableEncryptionV2.customerManagedKey(customerKey)
        : TableEncryptionV2.awsManagedKey(),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  /** Lets the function do what it does with rows, and names the table to it. */
  connect(fn: BridgeFunction, { actions, indexes = [] }: TableUse): void {
    const { tableArn, tableName } = this.table;
    if (actions.length > 0) {
      fn.addToRolePolicy(
        new PolicyStatement({
          actions: actions.map((action) => `dynamodb:${action}`),
          resources: [tableArn],
        }),
      );
    }
    if (indexes.length > 0) {
      fn.addToRolePolicy(
        new PolicyStatement({
          actions: ['dynamodb:Query'],
          resources: indexes.map((index) => `${tableArn}/index/${index}`),
        }),
      );
    }
    for (const key of this.keys) key.grant(fn, ...READ_KEY, ...(actions.length > 0 ? WRITE_KEY : []));
    fn.addEnvironment('TABLE_NAME', tableName);
  }
}

type KeyName = keyof typeof TABLE_SCHEMA.types;

function keys({ partition, sort }: { partition: KeyName; sort: KeyName }) {
  const attribute = (name: KeyName) => ({ name, type: TABLE_SCHEMA.types[name] as AttributeType });
  return { partitionKey: attribute(partition), sortKey: attribute(sort) };
}
