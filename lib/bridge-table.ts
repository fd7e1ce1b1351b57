import { RemovalPolicy } from 'aws-cdk-lib';
import {
  type AttributeType,
  Billing,
  ProjectionType,
  TableEncryptionV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { TABLE_SCHEMA, type TableIndex } from '../lambdas/domain/table-schema.ts';
import type { BridgeFunction } from './bridge-function.ts';

const READ = ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'];
// Transactions are authorized by the actions of their items.
const WRITE = [
  'dynamodb:PutItem',
  'dynamodb:UpdateItem',
  'dynamodb:DeleteItem',
  'dynamodb:ConditionCheckItem',
];

// DynamoDB uses a customer key in the caller's name.
const READ_KEY = ['kms:Decrypt', 'kms:DescribeKey'];
const WRITE_KEY = [
  'kms:Encrypt',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
];

/** The one table: every row of the bridge, the due ones in the index `due`, lists in `list`. */
export class BridgeTable extends Construct {
  readonly table: TableV2;
  private readonly key: IKey | undefined;

  constructor(scope: Construct, id: string, { customerKey }: { customerKey?: IKey }) {
    super(scope, id);
    this.key = customerKey;
    this.table = new TableV2(this, 'Table', {
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

  /** Lets the function read and write rows, and names the table to it. */
  connect(fn: BridgeFunction): void {
    this.allow(fn, [...READ, ...WRITE], ['due', 'list']);
    this.key?.grant(fn, ...READ_KEY, ...WRITE_KEY);
  }

  /** Lets the function find and read due rows but write none, and names the table to it. */
  connectSweeper(fn: BridgeFunction): void {
    this.allow(fn, READ, ['due']);
    this.key?.grant(fn, ...READ_KEY);
  }

  private allow(fn: BridgeFunction, actions: string[], indexes: TableIndex[]): void {
    const { tableArn, tableName } = this.table;
    fn.addToRolePolicy(new PolicyStatement({ actions, resources: [tableArn] }));
    fn.addToRolePolicy(
      new PolicyStatement({
        actions: ['dynamodb:Query'],
        resources: indexes.map((index) => `${tableArn}/index/${index}`),
      }),
    );
    fn.addEnvironment('TABLE_NAME', tableName);
  }
}

type KeyName = keyof typeof TABLE_SCHEMA.types;

function keys({ partition, sort }: { partition: KeyName; sort: KeyName }) {
  const attribute = (name: KeyName) => ({ name, type: TABLE_SCHEMA.types[name] as AttributeType });
  return { partitionKey: attribute(partition), sortKey: attribute(sort) };
}
