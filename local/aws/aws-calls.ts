import type { IncomingHttpHeaders } from 'node:http';
import { ACCOUNT_ID, REGION } from '../runtime/resource-types.ts';

export type Service = 'dynamodb' | 'sqs' | 's3' | 'secretsmanager' | 'events' | 'monitoring';

/** What IAM is asked before a call may happen. */
export type Permission = {
  /** For example `dynamodb:PutItem`. */
  action: string;
  /** An ARN, or `*` for an action that knows no resources. */
  resource: string;
};

/** The credential of a request: who calls which service. */
type Credential = {
  accessKeyId: string;
  service: string;
};

/** Reads the credential from the Authorization header or a presigned URL; undefined for an unsigned request. */
export function credentialOf(headers: IncomingHttpHeaders, url: URL): Credential | undefined {
  const scope =
    /Credential=([^,\s]+)/.exec(headers.authorization ?? '')?.[1] ?? url.searchParams.get('X-Amz-Credential');
  const [accessKeyId, , , service] = scope?.split('/') ?? [];
  return accessKeyId && service ? { accessKeyId, service } : undefined;
}

/** The name of the called operation: `PutItem`; undefined for a service that is not called by target header. */
export function targetOperation(headers: IncomingHttpHeaders): string | undefined {
  return headers['x-amz-target']?.toString().split('.').at(-1);
}

type Body = Record<string, unknown>;

/**
 * The permissions that a call by `X-Amz-Target` needs. Throws for operations without a mapping, so that a new one
 * cannot slip past IAM.
 */
export function jsonCallPermissions(service: Service, operation: string, body: Body): Permission[] {
  if (service === 'dynamodb') return dynamoPermissions(operation, body);
  if (service === 'sqs') {
    const action = `sqs:${operation.replace(/Batch$/, '')}`;
    const name = String(body.QueueUrl ?? body.QueueName ?? '*')
      .split('/')
      .at(-1);
    return [{ action, resource: `arn:aws:sqs:${REGION}:${ACCOUNT_ID}:${name}` }];
  }
  if (service === 'secretsmanager') {
    return [{ action: `secretsmanager:${operation}`, resource: String(body.SecretId) }];
  }
  if (service === 'events' && operation === 'PutEvents') {
    const entries = body.Entries as { EventBusName?: string }[];
    return entries.map(({ EventBusName = 'default' }) => ({
      action: 'events:PutEvents',
      resource: `arn:aws:events:${REGION}:${ACCOUNT_ID}:event-bus/${EventBusName.split('/').at(-1)}`,
    }));
  }
  // CloudWatch signs as `monitoring`, and knows no resources for its reads.
  if (service === 'monitoring' && ['GetMetricData', 'DescribeAlarms'].includes(operation)) {
    return [{ action: `cloudwatch:${operation}`, resource: '*' }];
  }
  throw unmapped(`${service}:${operation}`);
}

const itemOperations = new Set(['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem']);
const tableOperations = new Set(['DescribeTable', 'DescribeTimeToLive', 'Scan', 'Query']);

function dynamoPermissions(operation: string, body: Body): Permission[] {
  const tableArn = (name: unknown) =>
    `arn:aws:dynamodb:${REGION}:${ACCOUNT_ID}:table/${String(name).split('/').at(-1)}`;
  if (itemOperations.has(operation) || tableOperations.has(operation)) {
    const index = body.IndexName ? `/index/${String(body.IndexName)}` : '';
    return [{ action: `dynamodb:${operation}`, resource: tableArn(body.TableName) + index }];
  }
  if (operation === 'BatchGetItem' || operation === 'BatchWriteItem') {
    const tables = Object.keys(body.RequestItems as object);
    return tables.map((table) => ({ action: `dynamodb:${operation}`, resource: tableArn(table) }));
  }
  if (operation === 'TransactWriteItems' || operation === 'TransactGetItems') {
    // A transaction is authorized by its items: {Put: {...}}, {ConditionCheck: {...}}, {Get: {...}}.
    const items = (body.TransactItems as Record<string, { TableName: string }>[]).flatMap(Object.entries);
    return items.map(([kind, { TableName }]) => ({
      action: `dynamodb:${kind === 'ConditionCheck' ? 'ConditionCheckItem' : `${kind}Item`}`,
      resource: tableArn(TableName),
    }));
  }
  throw unmapped(`dynamodb:${operation}`);
}

type S3Call = {
  /** The API's name of the call, for example `HeadObject`. */
  operation: string;
  bucket: string;
  permissions: Permission[];
};

/** What a path-style S3 request asks for. Throws for requests without a mapping. */
export function s3Call(method: string, url: URL, headers: IncomingHttpHeaders): S3Call {
  const [, bucket = '', ...rest] = url.pathname.split('/');
  const key = rest.join('/');
  const has = (parameter: string) => url.searchParams.has(parameter);
  const call = (operation: string, ...actions: string[]): S3Call => ({
    operation,
    bucket,
    permissions: actions.map((action) => ({
      action,
      resource: `arn:aws:s3:::${bucket}${key ? `/${decodeURIComponent(key)}` : ''}`,
    })),
  });

  if (!key) {
    if (method === 'HEAD') return call('HeadBucket', 's3:ListBucket');
    if (method === 'GET' && has('uploads'))
      return call('ListMultipartUploads', 's3:ListBucketMultipartUploads');
    if (method === 'GET' && has('location')) return call('GetBucketLocation', 's3:GetBucketLocation');
    if (method === 'GET') return call('ListObjectsV2', 's3:ListBucket');
    throw unmapped(`S3 ${method} on a bucket`);
  }
  const tags = headers['x-amz-tagging'] ? ['s3:PutObjectTagging'] : [];
  if (has('tagging')) {
    if (method === 'GET') return call('GetObjectTagging', 's3:GetObjectTagging');
    if (method === 'PUT') return call('PutObjectTagging', 's3:PutObjectTagging');
    throw unmapped(`S3 ${method} on tags`);
  }
  if (has('uploadId')) {
    if (method === 'PUT' && !headers['x-amz-copy-source']) return call('UploadPart', 's3:PutObject');
    if (method === 'POST') return call('CompleteMultipartUpload', 's3:PutObject');
    if (method === 'GET') return call('ListParts', 's3:ListMultipartUploadParts');
    if (method === 'DELETE') return call('AbortMultipartUpload', 's3:AbortMultipartUpload');
  }
  if (has('uploads') && method === 'POST') return call('CreateMultipartUpload', 's3:PutObject', ...tags);
  if (method === 'HEAD') return call('HeadObject', 's3:GetObject');
  if (method === 'GET') return call('GetObject', 's3:GetObject');
  if (method === 'DELETE') return call('DeleteObject', 's3:DeleteObject');
  if (method === 'PUT' && !headers['x-amz-copy-source']) return call('PutObject', 's3:PutObject', ...tags);
  throw unmapped(`S3 ${method} ${url.search}`);
}

function unmapped(call: string): Error {
  return new Error(
    `The front door does not know which permissions ${call} needs; add it to local/aws/aws-calls.ts.`,
  );
}
