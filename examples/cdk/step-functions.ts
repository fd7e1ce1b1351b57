import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import { EventBus, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { DefinitionBody, LogLevel, Pass, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { WebhookBridge } from '../../lib/index.ts'; // in your app: 'topaz-video-webhooks'

/**
 * Each stored video starts a workflow. The bus gets its events from an endpoint, to be created once:
 * `POST /v1/endpoints {"kind": "eventbridge", "busName": "<EventBusName>", "events": ["video.stored"]}`.
 */
export class StepFunctionsStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const eventBus = new EventBus(this, 'Videos');
    const bridge = new WebhookBridge(this, 'Bridge', { eventBus });

    const workflow = new StateMachine(this, 'Workflow', {
      // Your steps; `$.detail.data.video` says where the video is.
      definitionBody: DefinitionBody.fromChainable(new Pass(this, 'Begin')),
      timeout: Duration.hours(1),
      tracingEnabled: true,
      logs: {
        level: LogLevel.ALL,
        destination: new LogGroup(this, 'WorkflowLogs', {
          // Under any other name each workflow takes a place in a resource policy of the account, which holds few.
          logGroupName: `/aws/vendedlogs/states/${this.stackName}`,
          retention: RetentionDays.ONE_MONTH,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
      },
    });
    const missed = new Queue(this, 'Missed', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    for (const id of ['AwsSolutions-SQS3', 'Serverless-SQSRedrivePolicy']) {
      Validations.of(missed).acknowledge({ id, reason: 'It is the dead-letter queue itself.' });
    }
    Validations.of(workflow).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'The delivery of logs and X-Ray know no resources.',
    });
    bridge.onVideoStored(
      'Stored',
      new SfnStateMachine(workflow, {
        input: RuleTargetInput.fromEventPath('$'),
        deadLetterQueue: missed,
        retryAttempts: 10,
      }),
    );

    new CfnOutput(this, 'ApiUrl', { value: bridge.apiUrl });
    new CfnOutput(this, 'ApiKeySecretArn', { value: bridge.apiKeys.secretArn });
    new CfnOutput(this, 'TopazApiKeySecretArn', { value: bridge.topazApiKey.secretArn });
    new CfnOutput(this, 'EventBusName', { value: eventBus.eventBusName });
  }
}
