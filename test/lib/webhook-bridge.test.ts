import { App, CfnParameter, Duration, NestedStack, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { LambdaFunction, SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { AccountPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Code, Runtime, Function as UserFunction } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { describe, expect, it } from 'vitest';
import { WebhookBridge, type WebhookBridgeProps } from '../../lib/index.ts';

const STAGES = ['api', 'tick', 'poll', 'copy', 'dispatch', 'deliver'];

function newStack(name = 'Videos'): Stack {
  const app = new App({ context: { 'aws:cdk:disable-asset-staging': true } });
  return new Stack(app, name, { env: { account: '123456789012', region: 'eu-west-1' } });
}

/** Another stack of the same app. */
const beside = (stack: Stack) =>
  new Stack(App.of(stack) as App, 'Other', { env: { account: stack.account, region: stack.region } });

/** The properties of each function, by its stage. */
function functions(template: Template): Record<string, Record<string, unknown>> {
  const found = Object.values(template.findResources('AWS::Lambda::Function')).map(({ Properties }) => [
    String(Properties.Description).replace('Webhook bridge: ', ''),
    Properties,
  ]);
  return Object.fromEntries(found);
}

/** The statements of the policies of one role. */
function allowed(
  stack: Stack,
  role: Role,
): { Action: string | string[]; Resource: unknown; Condition?: unknown }[] {
  const id = stack.getLogicalId(role.node.defaultChild as never);
  return Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy'))
    .filter(({ Properties }) => Properties.Roles.some(({ Ref }: { Ref: string }) => Ref === id))
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement);
}

const newRole = (stack: Stack) =>
  new Role(stack, 'Reader', { assumedBy: new AccountPrincipal('123456789012') });

describe('a bridge in an app of a user', () => {
  it('needs no properties', () => {
    const stack = newStack();
    new WebhookBridge(stack, 'Bridge');
    expect(Object.keys(functions(Template.fromStack(stack))).sort()).toEqual([...STAGES].sort());
  });

  it('is one of two in a stack, each with names of its own', () => {
    const stack = newStack();
    const [one, two] = [new WebhookBridge(stack, 'One'), new WebhookBridge(stack, 'Two')];
    const template = Template.fromStack(stack);
    const names = Object.values(template.findResources('AWS::Lambda::Function')).map(
      ({ Properties }) => Properties.Environment.Variables.POWERTOOLS_SERVICE_NAME,
    );
    expect(new Set(names)).toEqual(new Set(['Videos.One', 'Videos.Two']));
    const logGroups = template.findResources('AWS::Logs::LogGroup', {
      Properties: { LogGroupName: Match.anyValue() },
    });
    const named = Object.values(logGroups).map(({ Properties }) => Properties.LogGroupName);
    expect(new Set(named).size).toBe(named.length);
    const filters = Object.values(template.findResources('AWS::Logs::MetricFilter'));
    const namespaces = filters.map(({ Properties }) => Properties.MetricTransformations[0].MetricNamespace);
    expect(new Set(namespaces)).toEqual(new Set(['WebhookBridge/Videos.One', 'WebhookBridge/Videos.Two']));
    expect(stack.resolve(one.metricVideosStored().dimensions)).toEqual({ service: 'Videos.One' });
    expect(stack.resolve(two.metricVideosStored().dimensions)).toEqual({ service: 'Videos.Two' });
  });

  it('is named like no bridge of another stack, whose name may be the beginning of its own', () => {
    const short = newStack('Alpha');
    const long = newStack('Alpha-Beta');
    const names = [
      new WebhookBridge(new Construct(short, 'Beta'), 'Bridge'),
      new WebhookBridge(long, 'Bridge'),
      new WebhookBridge(short, 'Beta_Bridge'),
      new WebhookBridge(short, 'Beta-Bridge'),
    ].map((bridge) => bridge.metricVideosStored().dimensions?.service);
    expect(new Set(names).size).toBe(names.length);
  });

  it('refuses a name that no log group or API can have, also one that its own path gives', () => {
    const named = (bridgeName: string) => () => new WebhookBridge(newStack(), 'Bridge', { bridgeName });
    expect(named('our videos')).toThrow('`bridgeName` must be letters');
    expect(named('a'.repeat(129))).toThrow('at most 128');
    expect(named('our.videos_2-eu')).not.toThrow();
    expect(() => new WebhookBridge(newStack('a'.repeat(128)), 'Bridge')).toThrow('at most 128');
  });

  it('uses the bucket, key, bus, topic and secret that it is given instead of making its own', () => {
    const stack = newStack();
    new WebhookBridge(stack, 'Bridge', {
      bucket: Bucket.fromBucketName(stack, 'Bucket', 'our-videos'),
      encryptionKey: Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:eu-west-1:123456789012:key/a'),
      eventBus: EventBus.fromEventBusName(stack, 'Bus', 'our-bus'),
      alarmTopic: Topic.fromTopicArn(stack, 'Topic', 'arn:aws:sns:eu-west-1:123456789012:alarms'),
      topazApiKey: Secret.fromSecretNameV2(stack, 'Topaz', 'topaz-key'),
      logRetention: RetentionDays.ONE_WEEK,
    });
    const template = Template.fromStack(stack);
    template.resourceCountIs('AWS::S3::Bucket', 0);
    template.resourceCountIs('AWS::SNS::Topic', 0);
    template.resourceCountIs('AWS::SecretsManager::Secret', 1);
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 7 });
    template.allResourcesProperties('AWS::CloudWatch::Alarm', {
      AlarmActions: ['arn:aws:sns:eu-west-1:123456789012:alarms'],
    });
    const { api, copy } = functions(template) as Record<string, { Environment: { Variables: object } }>;
    expect(copy!.Environment.Variables).toMatchObject({ BUCKET_NAME: 'our-videos' });
    expect(api!.Environment.Variables).toMatchObject({ EVENT_BUS_NAME: 'our-bus' });
    template.hasResourceProperties('AWS::DynamoDB::GlobalTable', {
      Replicas: [
        Match.objectLike({ SSESpecification: { KMSMasterKeyId: Match.stringLikeRegexp('key/a$') } }),
      ],
    });
  });

  it('puts only the functions that call foreign servers into the VPC', () => {
    const stack = newStack();
    new WebhookBridge(stack, 'Bridge', { vpc: new Vpc(stack, 'Vpc', { natGateways: 1 }) });
    const inside = Object.entries(functions(Template.fromStack(stack))).filter(
      ([, { VpcConfig }]) => VpcConfig,
    );
    expect(inside.map(([stage]) => stage).sort()).toEqual(['copy', 'deliver']);
  });

  it('answers under a host name of the user, by which it also names itself in links', () => {
    const stack = newStack();
    const certificate = Certificate.fromCertificateArn(
      stack,
      'C',
      'arn:aws:acm:eu-west-1:123456789012:certificate/a',
    );
    const bridge = new WebhookBridge(stack, 'Bridge', { domainName: 'hooks.example.com', certificate });
    expect(bridge.apiUrl).toBe('https://hooks.example.com');
    const { deliver } = functions(Template.fromStack(stack)) as Record<
      string,
      { Environment: { Variables: object } }
    >;
    expect(deliver!.Environment.Variables).toMatchObject({ PUBLIC_URL: 'https://hooks.example.com' });
    expect(() => new WebhookBridge(stack, 'Half', { domainName: 'a.example.com' })).toThrow('give both');
  });

  it('goes with the stack only by its removal policy', () => {
    const stack = newStack();
    new WebhookBridge(stack, 'Bridge', { removalPolicy: RemovalPolicy.DESTROY });
    const template = Template.fromStack(stack);
    template.hasResource('AWS::DynamoDB::GlobalTable', { DeletionPolicy: 'Delete' });
    template.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Delete' });
    expect(JSON.stringify(template.findResources('AWS::DynamoDB::GlobalTable'))).not.toContain(
      '"DeletionProtectionEnabled":true',
    );
  });

  it('lets a consumer read its videos, and nothing else of the bucket', () => {
    const stack = newStack();
    const role = newRole(stack);
    new WebhookBridge(stack, 'Bridge', {
      bucket: Bucket.fromBucketName(stack, 'Bucket', 'our-videos'),
    }).grantReadVideos(role);
    const [statement, ...others] = allowed(stack, role);
    expect(others).toEqual([]);
    expect(statement!.Action).toBe('s3:GetObject');
    expect(JSON.stringify(statement!.Resource)).toContain(':s3:::our-videos/videos/*');
  });

  it('lets a receiver read the secrets of callbacks, and no other row', () => {
    const stack = newStack();
    const role = newRole(stack);
    const row = new WebhookBridge(stack, 'Bridge').grantReadCallbackSecret(role);
    expect(row.key).toEqual({ pk: 'CALLBACK-SECRET', sk: 'SECRET' });
    expect(allowed(stack, role)).toMatchObject([
      {
        Action: 'dynamodb:GetItem',
        Condition: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['CALLBACK-SECRET'] } },
      },
    ]);
  });

  it.each<[string, (stack: Stack) => WebhookBridgeProps]>([
    ['a bucket of another stack', (stack) => ({ bucket: new Bucket(beside(stack), 'Bucket') })],
    [
      'a former bucket of another stack',
      (stack) => ({ formerVideos: [{ bucket: new Bucket(beside(stack), 'Bucket') }] }),
    ],
    [
      'a bucket whose name is a parameter',
      (stack) => ({
        bucket: Bucket.fromBucketName(stack, 'Bucket', new CfnParameter(stack, 'Name').valueAsString),
      }),
    ],
  ])('takes %s', (_, propsOf) => {
    const stack = newStack();
    new WebhookBridge(stack, 'Bridge', propsOf(stack));
    expect(Object.keys(functions(Template.fromStack(stack)))).toHaveLength(6);
  });

  it('takes a bucket of the stack around its own', () => {
    const stack = newStack();
    const nested = new NestedStack(stack, 'Nested');
    new WebhookBridge(nested, 'Bridge', { bucket: new Bucket(stack, 'Bucket') });
    expect(Object.keys(functions(Template.fromStack(nested)))).toHaveLength(6);
  });

  it('uses the keys of the buckets and the table that it is given', () => {
    const stack = newStack();
    const arn = (id: string) => `arn:aws:kms:eu-west-1:123456789012:key/${id}`;
    const keyOf = (id: string) => Key.fromKeyArn(stack, id, arn(id));
    const bucketOf = (id: string) =>
      Bucket.fromBucketAttributes(stack, `${id}Bucket`, { bucketName: id, encryptionKey: keyOf(id) });
    new WebhookBridge(stack, 'Bridge', {
      bucket: bucketOf('present'),
      formerVideos: [{ bucket: bucketOf('former') }],
      table: TableV2.fromTableAttributes(stack, 'Rows', { tableName: 'rows', encryptionKey: keyOf('table') }),
    });
    const policies = Object.entries(Template.fromStack(stack).findResources('AWS::IAM::Policy'));
    const keysFor = (stage: string) => {
      const own = policies.filter(([id]) => id.includes(stage)).map(([, policy]) => JSON.stringify(policy));
      return ['present', 'former', 'table'].filter((id) => own.join().includes(arn(id)));
    };
    expect(keysFor('BridgeCopy')).toEqual(['present', 'former', 'table']);
    expect(keysFor('BridgeApi')).toEqual(['present', 'former', 'table']);
    expect(keysFor('BridgePoll')).toEqual(['table']);
  });

  it('lets another account read by the policy of its bucket, and does not pretend that it may read the table', () => {
    const stack = newStack();
    const account = new AccountPrincipal('222222222222');
    const own = new WebhookBridge(stack, 'Own');
    own.grantReadVideos(account).assertSuccess();
    const [policy] = Object.values(Template.fromStack(stack).findResources('AWS::S3::BucketPolicy'));
    expect(JSON.stringify(policy)).toContain('222222222222');
    expect(() => own.grantReadCallbackSecret(account)).toThrow('callback secret');
  });

  it('starts a target for each video that it stores, and not for those of another bridge', () => {
    const stack = newStack();
    const target = new SqsQueue(new Queue(stack, 'Queue'));
    const eventBus = new EventBus(stack, 'Bus');
    const formerVideos = [{ bucket: Bucket.fromBucketName(stack, 'Former', 'old-videos') }];
    const bucket = Bucket.fromBucketName(stack, 'Bucket', 'our-videos');
    new WebhookBridge(stack, 'Bridge', { eventBus, bucket, formerVideos }).onVideoStored('Stored', target);
    Template.fromStack(stack).hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['topaz-video-webhooks'],
        'detail-type': ['video.stored'],
        detail: { data: { video: { bucket: ['our-videos', 'old-videos'] } } },
      },
    });
    expect(() => new WebhookBridge(stack, 'NoBus').onVideoStored('Stored', target)).toThrow('`eventBus`');
  });

  it('starts a function of another stack that also reads its videos', () => {
    const stack = newStack();
    const bridge = new WebhookBridge(stack, 'Bridge', { eventBus: new EventBus(stack, 'Bus') });
    const consumer = beside(stack);
    const code = Code.fromInline('exports.handler = async () => {};');
    const fn = new UserFunction(consumer, 'Fn', {
      code,
      handler: 'index.handler',
      runtime: Runtime.NODEJS_22_X,
    });
    bridge.grantReadVideos(fn);
    bridge.onVideoStored('Stored', new LambdaFunction(fn), { crossStackScope: consumer });
    Template.fromStack(consumer).resourceCountIs('AWS::Events::Rule', 1);
  });

  it.each<[string, (stack: Stack) => WebhookBridgeProps]>([
    [
      '`eventBus` of Videos/Bridge is in the account 222222222222',
      (stack) => ({
        eventBus: EventBus.fromEventBusArn(
          stack,
          'Bus',
          'arn:aws:events:eu-west-1:222222222222:event-bus/theirs',
        ),
      }),
    ],
    [
      '`encryptionKey` of Videos/Bridge is in the region us-east-1',
      (stack) => ({
        encryptionKey: Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:us-east-1:123456789012:key/k'),
      }),
    ],
    [
      '`alarmTopic` of Videos/Bridge is in the region us-east-1',
      (stack) => ({ alarmTopic: Topic.fromTopicArn(stack, 'Topic', 'arn:aws:sns:us-east-1:123456789012:t') }),
    ],
    [
      '`topazApiKey` of Videos/Bridge is in the region us-east-1',
      (stack) => ({
        topazApiKey: Secret.fromSecretCompleteArn(
          stack,
          'Secret',
          'arn:aws:secretsmanager:us-east-1:123456789012:secret:topaz-AbCdEf',
        ),
      }),
    ],
    [
      '`vpcSubnets` and `securityGroups` of Videos/Bridge need `vpc`',
      () => ({ vpcSubnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS } }),
    ],
    [
      '`domainName` must be a host name',
      (stack) => ({
        domainName: 'https://bridge.example.com/',
        certificate: Certificate.fromCertificateArn(
          stack,
          'Certificate',
          'arn:aws:acm:eu-west-1:123456789012:certificate/a',
        ),
      }),
    ],
  ])('refuses what could only fail later: %s', (message, propsOf) => {
    const stack = newStack();
    expect(() => new WebhookBridge(stack, 'Bridge', propsOf(stack))).toThrow(message);
  });

  it.each<[WebhookBridgeProps, string]>([
    [{ linkLifetime: Duration.days(31) }, '`linkLifetime` must be at most `retention`'],
    [{ retention: Duration.hours(36) }, '`retention` must be a whole number of days'],
    [{ notFoundAfter: Duration.days(2) }, '`notFoundAfter` must be at most 1440'],
    [{ maxCopies: 1 }, '`maxCopies` must be at least 2'],
    [{ keyTemplate: 'videos/{filename}' }, '`keyTemplate` must contain {requestId}'],
    [{ topazBaseUrl: 'http://topaz.example' }, '`topazBaseUrl` must be an https URL'],
  ])('refuses %o by the name of the property', (props, message) => {
    expect(() => new WebhookBridge(newStack(), 'Bridge', props)).toThrow(message);
  });

  it('refuses a customer key in a stack of no region, which could not use it', () => {
    const stack = new Stack(new App(), 'Videos');
    expect(() => new WebhookBridge(stack, 'Bridge', { encryptionKey: new Key(stack, 'Key') })).toThrow(
      '`env`',
    );
  });
});

describe('what a replacement would lose', () => {
  it.each([
    [
      'rows, videos and secrets',
      ['AWS::DynamoDB::GlobalTable', 'AWS::S3::Bucket', 'AWS::SecretsManager::Secret'],
      [
        'BridgeTable0A1DD2D6',
        'BridgeVideosBucketBEE46175',
        'BridgeSecretsTopazApiKeyD9917105',
        'BridgeSecretsApiKeysBFC2DDA5',
      ],
    ],
    ['the address of the API', ['AWS::ApiGatewayV2::Api'], ['BridgeApiHttpF4E29A59']],
    ['subscriptions to alarms', ['AWS::SNS::Topic'], ['BridgeMonitoringAlarmsD3EE3DDA']],
  ])('keeps its logical id, or CloudFormation would replace it: %s', (_, types, pinned) => {
    const stack = newStack();
    new WebhookBridge(stack, 'Bridge');
    const template = Template.fromStack(stack);
    expect(types.flatMap((type) => Object.keys(template.findResources(type)))).toEqual(pinned);
  });
});
