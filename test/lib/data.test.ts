import { describe, expect, it } from 'vitest';
import { type Resource, synthesize, target } from './synthesize.ts';

const KEY = 'arn:aws:kms:eu-west-1:123456789012:key/0b5f4a39-5f6c-4f6e-8a53-0c7c1a9c9a11';
const FORMER_KEY = 'arn:aws:kms:eu-west-1:123456789012:key/8d1c5b0e-22c6-4b0b-9d7b-5a7a1f1f7c21';
const only = (resources: [string, Resource][]): Resource => {
  expect(resources).toHaveLength(1);
  return resources[0]![1];
};

describe('the table', () => {
  const { all, granted, environment } = synthesize();
  const table = only(all('AWS::DynamoDB::GlobalTable'));

  it('is encrypted, recoverable to a point in time, and survives the stack', () => {
    expect(table.Properties).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
      Replicas: [
        {
          DeletionProtectionEnabled: true,
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        },
      ],
    });
    expect(table).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });

  it('has the indexes by which work is found and lists are read, of keys only', () => {
    const index = (IndexName: string, hash: string, range: string) => ({
      IndexName,
      KeySchema: [
        { AttributeName: hash, KeyType: 'HASH' },
        { AttributeName: range, KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'KEYS_ONLY' },
    });
    expect(table.Properties.GlobalSecondaryIndexes).toEqual([
      index('due', 'lane', 'dueAt'),
      index('list', 'listKey', 'listAt'),
    ]);
    expect(table.Properties.TimeToLiveSpecification).toEqual({ AttributeName: 'expiresAt', Enabled: true });
  });

  it('is encrypted with the customer key when there is one, which its users may then use', () => {
    const keyed = synthesize({ customerKey: KEY });
    expect(only(keyed.all('AWS::DynamoDB::GlobalTable')).Properties.Replicas).toMatchObject([
      { SSESpecification: { KMSMasterKeyId: KEY } },
    ]);
    for (const stage of ['api', 'tick', 'poll', 'copy', 'dispatch', 'deliver']) {
      expect(keyed.granted(stage, 'kms:Decrypt').map(({ on }) => on)).toEqual([JSON.stringify(KEY)]);
    }
    expect(keyed.granted('tick', 'kms:GenerateDataKey')).toEqual([]);
  });

  it('may be an existing one, which the stack uses and leaves as it is', () => {
    const restored = synthesize({ tableName: 'restored' });
    expect(restored.all('AWS::DynamoDB::GlobalTable')).toEqual([]);
    for (const stage of ['api', 'tick', 'poll', 'copy', 'dispatch', 'deliver']) {
      expect(restored.environment(stage).TABLE_NAME).toBe('restored');
      for (const { on } of restored.granted(stage, 'dynamodb:')) expect(on).toContain(':table/restored');
    }
  });

  it('stays readable with the customer keys from before the present one', () => {
    const rekeyed = synthesize({ customerKey: KEY, formerKeys: [FORMER_KEY] });
    for (const stage of ['api', 'tick', 'poll', 'copy', 'dispatch', 'deliver']) {
      expect(
        rekeyed
          .granted(stage, 'kms:Decrypt')
          .map(({ on }) => on)
          .join(),
      ).toContain(FORMER_KEY);
    }
  });

  const WRITE = ['DeleteItem', 'PutItem', 'UpdateItem'];
  it.each([
    ['api', [...WRITE, 'BatchGetItem', 'ConditionCheckItem', 'GetItem', 'Query'], ['due', 'list']],
    ['tick', [], ['due']],
    ['poll', [...WRITE, 'GetItem'], []],
    ['copy', [...WRITE, 'GetItem', 'Query'], []],
    ['dispatch', [...WRITE, 'BatchGetItem', 'GetItem', 'Query'], []],
    ['deliver', [...WRITE, 'ConditionCheckItem', 'GetItem', 'Query'], []],
  ])('lets %s do %j, and query the indexes %j', (stage, actions, indexes) => {
    const onTable = granted(stage, 'dynamodb:').filter(({ on }) => !on.includes('/index/'));
    expect(onTable.flatMap((grant) => grant.actions).sort()).toEqual(
      actions.map((action) => `dynamodb:${action}`).sort(),
    );
    const onIndexes = granted(stage, 'dynamodb:').filter(({ on }) => on.includes('/index/'));
    expect(onIndexes.flatMap((grant) => grant.actions)).toEqual(indexes.length > 0 ? ['dynamodb:Query'] : []);
    const named = onIndexes.flatMap(({ on }) => [...on.matchAll(/\/index\/([^"]+)"/g)]);
    expect(named.map(([, index]) => index)).toEqual(indexes);
    expect(environment(stage).TABLE_NAME).toHaveProperty('Ref');
  });
});

describe('the video bucket', () => {
  const { all, granted } = synthesize();
  const bucket = only(all('AWS::S3::Bucket'));

  it('is private, encrypted, and survives the stack', () => {
    expect(bucket.Properties).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
    });
    expect(bucket).toMatchObject({ DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' });
  });

  it('deletes no video, but unfinished uploads', () => {
    expect(bucket.Properties.LifecycleConfiguration).toEqual({
      Rules: [{ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 }, Status: 'Enabled' }],
    });
  });

  it('is written by the copy stage, read by the api stage, and closed to the others', () => {
    expect(granted('copy', 's3:').map(({ actions }) => actions)).toEqual([
      [
        's3:AbortMultipartUpload',
        's3:DeleteObject',
        's3:GetObject',
        's3:ListMultipartUploadParts',
        's3:PutObject',
        's3:PutObjectTagging',
      ],
      ['s3:ListBucket', 's3:ListBucketMultipartUploads'],
    ]);
    expect(granted('api', 's3:').map(({ actions }) => actions)).toEqual([
      ['s3:GetObject'],
      ['s3:ListBucket'],
    ]);
    for (const stage of ['tick', 'poll', 'dispatch', 'deliver']) expect(granted(stage, 's3:')).toEqual([]);
  });

  it('may be an existing one, which the stack uses and leaves as it is', () => {
    const existing = synthesize({ bucketName: 'our-videos' });
    expect(existing.all('AWS::S3::Bucket')).toEqual([]);
    expect(existing.all('AWS::S3::BucketPolicy')).toEqual([]);
    expect(existing.environment('copy').BUCKET_NAME).toBe('our-videos');
  });

  it('that others use too is reached only where the key template puts videos', () => {
    const objects = (set: ReturnType<typeof synthesize>, stage: string) =>
      set.granted(stage, 's3:GetObject').map(({ on }) => on);
    for (const [keyTemplate, prefix] of [
      ['videos/{requestId}/{filename}', 'videos/*'],
      ['finished-{date}/{requestId}', 'finished-*'],
      ['{requestId}.{ext}', '*'],
    ]) {
      const existing = synthesize({ bucketName: 'our-videos', keyTemplate });
      for (const stage of ['api', 'copy']) {
        expect(objects(existing, stage)).toEqual([expect.stringContaining(`:s3:::our-videos/${prefix}"`)]);
      }
    }
  });

  it('from before a change stays readable, and its copies can be finished and cleaned up', () => {
    const moved = synthesize({
      bucketName: 'our-videos',
      formerBuckets: ['our-archive/old/', 'made-by-cdk'],
    });
    expect(moved.environment('copy').BUCKET_NAME).toBe('our-videos');
    for (const [stage, action] of [
      ['api', 's3:GetObject'],
      ['copy', 's3:AbortMultipartUpload'],
    ] as const) {
      const [grant] = moved.granted(stage, action);
      for (const place of ['our-videos/videos/*', 'our-archive/old/*', 'made-by-cdk/*']) {
        expect(grant!.on).toContain(`:s3:::${place}"`);
      }
    }
    const [list] = moved.granted('copy', 's3:ListBucketMultipartUploads');
    for (const bucket of ['our-videos', 'our-archive', 'made-by-cdk']) {
      expect(list!.on).toContain(`:s3:::${bucket}"`);
    }
  });

  it('stays readable with the customer keys from before the present one', () => {
    const rekeyed = synthesize({ customerKey: KEY, formerKeys: [FORMER_KEY] });
    for (const stage of ['api', 'copy']) {
      expect(
        rekeyed
          .granted(stage, 'kms:Decrypt')
          .map(({ on }) => on)
          .join(),
      ).toContain(FORMER_KEY);
    }
    expect(JSON.stringify(only(rekeyed.all('AWS::S3::Bucket')).Properties)).not.toContain(FORMER_KEY);
  });

  it('is encrypted with the customer key when there is one', () => {
    const keyed = only(synthesize({ customerKey: KEY }).all('AWS::S3::Bucket'));
    expect(JSON.stringify(keyed.Properties.BucketEncryption)).toContain(KEY);
  });
});

describe('the secrets', () => {
  const { template, resources, granted, environment } = synthesize();
  const readers = (secret: string) =>
    ['api', 'tick', 'poll', 'copy', 'dispatch', 'deliver'].filter((stage) =>
      granted(stage, 'secretsmanager:GetSecretValue').some(({ on }) => on.includes(`"${secret}"`)),
    );

  it('give the Topaz key to the poll stage alone', () => {
    const secret = target(template.Outputs.TopazApiKeySecretArn.Value);
    expect(readers(secret)).toEqual(['poll']);
    expect(environment('poll').TOPAZ_API_KEY_SECRET_ARN).toEqual({ Ref: secret });
  });

  it('give the API keys to the api stage alone', () => {
    const secret = target(template.Outputs.ApiKeySecretArn.Value);
    expect(readers(secret)).toEqual(['api']);
    expect(environment('api').API_KEYS_SECRET_ARN).toEqual({ Ref: secret });
  });

  it('are generated, not written in the template', () => {
    expect(resources[target(template.Outputs.TopazApiKeySecretArn.Value)]!.Properties).toMatchObject({
      GenerateSecretString: { PasswordLength: 43 },
    });
    expect(JSON.stringify(template)).not.toContain('{{resolve:');
  });

  it('begin with one generated API key, which no later deployment writes again', () => {
    // Another value here would make CloudFormation generate all keys anew.
    expect(resources[target(template.Outputs.ApiKeySecretArn.Value)]!.Properties).toMatchObject({
      GenerateSecretString: {
        SecretStringTemplate: '{"keys":[]}',
        GenerateStringKey: 'firstKey',
        PasswordLength: 43,
        ExcludePunctuation: true,
      },
    });
  });

  it('are read by value only, and by no other stage', () => {
    for (const [stage, reads] of [
      ['api', true],
      ['poll', true],
      ['tick', false],
      ['copy', false],
      ['dispatch', false],
      ['deliver', false],
    ] as const) {
      const actions = granted(stage, 'secretsmanager:').flatMap((grant) => grant.actions);
      expect(actions, stage).toEqual(reads ? ['secretsmanager:GetSecretValue'] : []);
    }
  });
});
