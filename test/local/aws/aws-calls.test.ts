import { describe, expect, it } from 'vitest';
import { credentialOf, jsonCallPermissions, type Service, s3Call } from '../../../local/aws/aws-calls.ts';

const TABLE = 'arn:aws:dynamodb:us-east-1:000000000000:table/T';
const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:Q';

describe('the permissions of a call', () => {
  it.each<[Service, string, Record<string, unknown>, string[]]>([
    ['dynamodb', 'PutItem', { TableName: 'T' }, [`dynamodb:PutItem ${TABLE}`]],
    ['dynamodb', 'GetItem', { TableName: TABLE }, [`dynamodb:GetItem ${TABLE}`]],
    ['dynamodb', 'Query', { TableName: 'T', IndexName: 'due' }, [`dynamodb:Query ${TABLE}/index/due`]],
    ['dynamodb', 'BatchGetItem', { RequestItems: { T: {} } }, [`dynamodb:BatchGetItem ${TABLE}`]],
    [
      'dynamodb',
      'TransactGetItems',
      { TransactItems: [{ Get: { TableName: 'T' } }] },
      [`dynamodb:GetItem ${TABLE}`],
    ],
    [
      'dynamodb',
      'TransactWriteItems',
      {
        TransactItems: ['Put', 'Update', 'Delete', 'ConditionCheck'].map((kind) => ({
          [kind]: { TableName: 'T' },
        })),
      },
      ['PutItem', 'UpdateItem', 'DeleteItem', 'ConditionCheckItem'].map(
        (action) => `dynamodb:${action} ${TABLE}`,
      ),
    ],
    [
      'sqs',
      'SendMessageBatch',
      { QueueUrl: 'http://127.0.0.1:1/000000000000/Q' },
      [`sqs:SendMessage ${QUEUE}`],
    ],
    ['sqs', 'GetQueueAttributes', { QueueUrl: 'http://h/0/Q' }, [`sqs:GetQueueAttributes ${QUEUE}`]],
    ['secretsmanager', 'GetSecretValue', { SecretId: 'arn:s' }, ['secretsmanager:GetSecretValue arn:s']],
    [
      'events',
      'PutEvents',
      { Entries: [{ EventBusName: 'bus' }, {}] },
      ['bus', 'default'].map(
        (bus) => `events:PutEvents arn:aws:events:us-east-1:000000000000:event-bus/${bus}`,
      ),
    ],
  ])('%s %s', (service, operation, body, expected) => {
    const permissions = jsonCallPermissions(service, operation, body);
    expect(permissions.map(({ action, resource }) => `${action} ${resource}`)).toEqual(expected);
  });

  it.each([
    ['PUT', '/b/k', 'PutObject', 's3:PutObject arn:aws:s3:::b/k'],
    ['GET', '/b/a%20b/c', 'GetObject', 's3:GetObject arn:aws:s3:::b/a b/c'],
    ['HEAD', '/b/k', 'HeadObject', 's3:GetObject arn:aws:s3:::b/k'],
    ['DELETE', '/b/k', 'DeleteObject', 's3:DeleteObject arn:aws:s3:::b/k'],
    ['POST', '/b/k?uploads', 'CreateMultipartUpload', 's3:PutObject arn:aws:s3:::b/k'],
    ['PUT', '/b/k?partNumber=1&uploadId=u', 'UploadPart', 's3:PutObject arn:aws:s3:::b/k'],
    ['POST', '/b/k?uploadId=u', 'CompleteMultipartUpload', 's3:PutObject arn:aws:s3:::b/k'],
    ['GET', '/b/k?uploadId=u', 'ListParts', 's3:ListMultipartUploadParts arn:aws:s3:::b/k'],
    ['DELETE', '/b/k?uploadId=u', 'AbortMultipartUpload', 's3:AbortMultipartUpload arn:aws:s3:::b/k'],
    ['GET', '/b/k?tagging', 'GetObjectTagging', 's3:GetObjectTagging arn:aws:s3:::b/k'],
    ['GET', '/b?list-type=2&prefix=x', 'ListObjectsV2', 's3:ListBucket arn:aws:s3:::b'],
    ['GET', '/b/?uploads', 'ListMultipartUploads', 's3:ListBucketMultipartUploads arn:aws:s3:::b'],
    ['HEAD', '/b', 'HeadBucket', 's3:ListBucket arn:aws:s3:::b'],
  ])('S3 %s %s', (method, path, operation, permission) => {
    const call = s3Call(method, new URL(path, 'http://h'), {});
    expect(call.operation).toBe(operation);
    expect(call.permissions.map(({ action, resource }) => `${action} ${resource}`)).toEqual([permission]);
  });

  it('of an upload with tags include the tagging', () => {
    const { permissions } = s3Call('PUT', new URL('http://h/b/k'), { 'x-amz-tagging': 'a=b' });
    expect(permissions.map(({ action }) => action)).toEqual(['s3:PutObject', 's3:PutObjectTagging']);
  });

  it('are refused for calls that have no mapping', () => {
    expect(() => jsonCallPermissions('dynamodb', 'ExecuteStatement', {})).toThrow(
      'dynamodb:ExecuteStatement',
    );
    expect(() => s3Call('PUT', new URL('http://h/b/k'), { 'x-amz-copy-source': 'x' })).toThrow('S3 PUT');
    expect(() => s3Call('DELETE', new URL('http://h/b/k?tagging'), {})).toThrow('S3 DELETE');
  });
});

describe('the credential of a request', () => {
  it('is read from the Authorization header', () => {
    const authorization =
      'AWS4-HMAC-SHA256 Credential=Poll/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host';
    expect(credentialOf({ authorization }, new URL('http://h/'))).toEqual({
      accessKeyId: 'Poll',
      service: 'sqs',
    });
  });

  it('is read from a presigned URL', () => {
    const url = new URL('http://h/b/k?X-Amz-Credential=Api%2F20260101%2Fus-east-1%2Fs3%2Faws4_request');
    expect(credentialOf({}, url)).toEqual({ accessKeyId: 'Api', service: 's3' });
  });

  it('is absent from an unsigned request', () => {
    expect(credentialOf({ authorization: 'Bearer x' }, new URL('http://h/'))).toBeUndefined();
  });
});
