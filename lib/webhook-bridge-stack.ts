import { Arn, ArnFormat, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { type BridgeConfig, readConfig } from './config.ts';
import { WebhookBridge } from './webhook-bridge.ts';
import type { WebhookBridgeProps } from './webhook-bridge-props.ts';

/** The bridge as a stack: takes settings from the context, and outputs what a user needs to begin. */
export class WebhookBridgeStack extends Stack {
  constructor(scope: Construct, id: string) {
    const config = readConfig(scope.node);
    super(scope, id, {
      stackName: config.stackName,
      description: 'Webhooks for the Topaz Video API',
      // A customer key works only in its own region, and the table must know that region beforehand.
      env: config.customerKey
        ? { region: Arn.split(config.customerKey, ArnFormat.SLASH_RESOURCE_NAME).region }
        : undefined,
    });
    const bridge = new WebhookBridge(this, 'Bridge', propsOf(this, config));
    if (config.alarmEmail) {
      const mail = (bridge.alarmTopic as Topic).addSubscription(new EmailSubscription(config.alarmEmail));
      acknowledge(
        mail,
        'Serverless-SNSRedrivePolicy',
        'A mail about an alarm that is over is of no use; the alarm itself stays on the dashboard.',
      );
    }
    const output = (name: string, value: string, description: string) =>
      new CfnOutput(this, name, { value, description });
    output('ApiUrl', bridge.apiUrl, "The bridge's HTTP API");
    output('ApiKeySecretArn', bridge.apiKeys.secretArn, 'Secret with the keys to the API');
    output('TopazApiKeySecretArn', bridge.topazApiKey.secretArn, 'Secret to put your Topaz API key into');
    output('VideoBucketName', bridge.bucket.bucketName, 'Bucket of the stored videos');
    output('DashboardUrl', bridge.dashboardUrl, 'What the bridge is doing');
  }
}

/** Settings name what exists; the construct takes it as constructs. */
function propsOf(stack: Stack, config: BridgeConfig): WebhookBridgeProps {
  const { tableName, bucketName, eventBusName, customerKey } = config;
  return {
    bridgeName: config.stackName,
    topazBaseUrl: config.topazBaseUrl,
    maxPollsPerSecond: config.maxPollsPerSecond,
    notFoundAfter: Duration.minutes(config.notFoundMinutes),
    pendingAtMost: Duration.days(config.pendingDays),
    maxCopies: config.maxCopies,
    maxDispatches: config.maxDispatches,
    maxDeliveries: config.maxDeliveries,
    maxWaits: config.maxWaits,
    keyTemplate: config.keyTemplate,
    retention: Duration.days(config.retentionDays),
    linkLifetime: Duration.days(config.linkDays),
    tracing: config.tracing,
    systemLogLevel: config.systemLogLevel,
    ...(tableName && { table: TableV2.fromTableName(stack, 'Table', tableName) }),
    ...(bucketName && { bucket: Bucket.fromBucketName(stack, 'Bucket', bucketName) }),
    formerVideos: config.formerBuckets.map((place, n) => {
      const [name = '', ...prefix] = place.split('/');
      return { bucket: Bucket.fromBucketName(stack, `FormerBucket${n}`, name), prefix: prefix.join('/') };
    }),
    ...(eventBusName && { eventBus: EventBus.fromEventBusName(stack, 'EventBus', eventBusName) }),
    ...(customerKey && { encryptionKey: Key.fromKeyArn(stack, 'CustomerKey', customerKey) }),
    formerEncryptionKeys: config.formerKeys.map((arn, n) => Key.fromKeyArn(stack, `FormerKey${n}`, arn)),
  };
}
