/** Account and region of everything that runs locally. */
export const ACCOUNT_ID = '000000000000';
export const REGION = 'us-east-1';

/** What a resource is to the others: the value of its `Ref` and of its `Fn::GetAtt` attributes. */
export type Identity = {
  ref: string;
  attributes: Record<string, string>;
};

/** Where the local servers listen; known before the template is resolved. */
export type Places = {
  frontDoorUrl: string;
  apiUrl: string;
};

type Identify = (logicalId: string, places: Places) => Identity;

export const arn = (service: string, resource: string) =>
  `arn:aws:${service}:${REGION}:${ACCOUNT_ID}:${resource}`;

const global = (service: string, resource: string) => `arn:aws:${service}::${ACCOUNT_ID}:${resource}`;
const named =
  (service: string, prefix = ''): Identify =>
  (id) => ({ ref: id, attributes: { Arn: arn(service, prefix + id) } });
const byArn =
  (service: string, prefix = ''): Identify =>
  (id) => ({ ref: arn(service, prefix + id), attributes: { Arn: arn(service, prefix + id) } });
const plain: Identify = (id) => ({ ref: id, attributes: {} });

/** Bucket names are lower case; all other local resources are named by their logical id. */
const bucketName = (logicalId: string) => logicalId.toLowerCase();

/** Resources that the local runtime starts, serves or evaluates. */
const active: Record<string, Identify> = {
  'AWS::DynamoDB::GlobalTable': (id) => ({
    ref: id,
    attributes: { Arn: arn('dynamodb', `table/${id}`), TableId: id },
  }),
  'AWS::S3::Bucket': (id) => ({
    ref: bucketName(id),
    attributes: {
      Arn: `arn:aws:s3:::${bucketName(id)}`,
      DomainName: `${bucketName(id)}.s3.amazonaws.com`,
      RegionalDomainName: `${bucketName(id)}.s3.${REGION}.amazonaws.com`,
    },
  }),
  'AWS::SQS::Queue': (id, { frontDoorUrl }) => {
    const url = `${frontDoorUrl}/${ACCOUNT_ID}/${id}`;
    return { ref: url, attributes: { Arn: arn('sqs', id), QueueName: id, QueueUrl: url } };
  },
  'AWS::CloudWatch::Alarm': named('cloudwatch', 'alarm:'),
  'AWS::Lambda::Function': named('lambda', 'function:'),
  'AWS::Lambda::EventSourceMapping': (id) => ({ ref: id, attributes: { Id: id } }),
  'AWS::Lambda::Permission': (id) => ({ ref: id, attributes: { Id: id } }),
  'AWS::Scheduler::Schedule': named('scheduler', 'schedule/default/'),
  'AWS::ApiGatewayV2::Api': (id, { apiUrl }) => ({
    ref: id.toLowerCase(),
    attributes: { ApiId: id.toLowerCase(), ApiEndpoint: apiUrl },
  }),
  'AWS::ApiGatewayV2::Integration': plain,
  'AWS::ApiGatewayV2::Route': plain,
  'AWS::SecretsManager::Secret': (id) => ({
    ref: arn('secretsmanager', `secret:${id}`),
    attributes: { Id: arn('secretsmanager', `secret:${id}`) },
  }),
  'AWS::IAM::Role': (id) => ({ ref: id, attributes: { Arn: global('iam', `role/${id}`), RoleId: id } }),
  'AWS::IAM::Policy': plain,
  'AWS::IAM::ManagedPolicy': (id) => ({ ref: global('iam', `policy/${id}`), attributes: {} }),
};

/**
 * Resources without a local counterpart. Resource policies are among them: they refuse unencrypted connections,
 * and on loopback there are no others.
 */
const inert: Record<string, Identify> = {
  'AWS::ApiGatewayV2::Stage': plain,
  'AWS::CDK::Metadata': plain,
  'AWS::CloudWatch::CompositeAlarm': named('cloudwatch', 'alarm:'),
  'AWS::CloudWatch::Dashboard': plain,
  'AWS::Lambda::EventInvokeConfig': plain,
  'AWS::Logs::LogGroup': named('logs', 'log-group:'),
  'AWS::Logs::MetricFilter': plain,
  'AWS::Logs::QueryDefinition': plain,
  'AWS::S3::BucketPolicy': plain,
  'AWS::SecretsManager::ResourcePolicy': plain,
  'AWS::SNS::Subscription': byArn('sns'),
  'AWS::SNS::Topic': (id) => ({
    ref: arn('sns', id),
    attributes: { TopicArn: arn('sns', id), TopicName: id },
  }),
  'AWS::SNS::TopicPolicy': plain,
  'AWS::SQS::QueuePolicy': plain,
};

/** Throws, naming the resource, when its type is none of those that the local runtime knows. */
export function identify(logicalId: string, type: string, places: Places): Identity {
  const known = active[type] ?? inert[type];
  if (!known) {
    throw new Error(
      `The local runtime does not know the type ${type} of resource ${logicalId}; ` +
        'support it, or list it as inert, in local/runtime/resource-types.ts.',
    );
  }
  return known(logicalId, places);
}
