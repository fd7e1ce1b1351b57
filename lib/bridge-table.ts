import { RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import {
  type AttributeType,
  Billing,
  type ITableV2,
  ProjectionType,
  TableEncryptionV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb';
import { Grant, type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { callbackSecretKey } from '../lambdas/domain/rows.ts';
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
type TableUse = {
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

type BridgeTableProps = {
  /** An existing table to use. */
  readonly table?: ITableV2;
  readonly customerKey?: IKey;
  readonly formerKeys: readonly IKey[];
  /** Of the bridge's own table. With `DESTROY` the table has no deletion protection. */
  readonly removalPolicy: RemovalPolicy;
};

/** The one table: every row of the bridge, the due ones in the index `due`, lists in `list`. */
export class BridgeTable extends Construct {
  readonly table: ITableV2;
  private readonly keys: readonly IKey[];

  constructor(scope: Construct, id: string, props: BridgeTableProps) {
    super(scope, id);
    const { table, customerKey, formerKeys, removalPolicy } = props;
    const keys = [customerKey, table?.encryptionKey, ...formerKeys].filter((key) => key !== undefined);
    this.keys = [...new Set(keys)];
    this.table = table ?? this.newTable(customerKey, removalPolicy);
  }

  private newTable(customerKey: IKey | undefined, removalPolicy: RemovalPolicy): TableV2 {
    if (customerKey && Token.isUnresolved(Stack.of(this).region)) {
      throw new Error(
        `A customer key works in its own region only: give the stack of ${this.node.path} that region (\`env\`).`,
      );
    }
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
      deletionProtection: removalPolicy !== RemovalPolicy.DESTROY,
      removalPolicy,
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

  /** Lets a role read the row with the secrets of callbacks, and no other. Throws for what takes no such policy. */
  grantReadCallbackSecret(grantee: IGrantable): CallbackSecretRow {
    const { pk, sk } = callbackSecretKey;
    const { success } = Grant.addToPrincipal({
      grantee,
      actions: ['dynamodb:GetItem'],
      resourceArns: [this.table.tableArn],
      conditions: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [pk] } },
    });
    if (!success) {
      throw new Error(
        `${this.node.path} cannot let ${grantee.grantPrincipal} read the callback secret: give a function, a role, ` +
          'a user or a group of this account.',
      );
    }
    for (const key of this.keys) key.grant(grantee, ...READ_KEY);
    return { tableName: this.table.tableName, key: { pk, sk } };
  }
}

/** Where the secrets that sign callbacks are. */
export type CallbackSecretRow = {
  readonly tableName: string;
  /** The key of the row, as DynamoDB's document client takes it. */
  readonly key: { readonly pk: string; readonly sk: string };
};

type KeyName = keyof typeof TABLE_SCHEMA.types;

function keys({ partition, sort }: { partition: KeyName; sort: KeyName }) {
  const attribute = (name: KeyName) => ({ name, type: TABLE_SCHEMA.types[name] as AttributeType });
  return { partitionKey: attribute(partition), sortKey: attribute(sort) };
}
