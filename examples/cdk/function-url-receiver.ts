import { fileURLToPath } from 'node:url';
import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Code,
  FunctionUrlAuthType,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { WebhookBridge } from '../../lib/index.ts'; // in your app: 'topaz-video-webhooks'

// In a CommonJS app: join(__dirname, 'function-url-receiver').
const code = fileURLToPath(new URL('./function-url-receiver', import.meta.url));

/** A function with a URL receives the webhooks and verifies their signatures. */
export class FunctionUrlReceiverStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const bridge = new WebhookBridge(this, 'Bridge');

    const logGroup = new LogGroup(this, 'ReceiverLogs', {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(this, 'ReceiverRole', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    const receiver = new LambdaFunction(this, 'Receiver', {
      code: Code.fromAsset(code),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 256,
      timeout: Duration.seconds(10),
      role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
    });
    const { tableName, key } = bridge.grantReadCallbackSecret(receiver);
    receiver.addEnvironment('CALLBACK_SECRET', JSON.stringify({ TableName: tableName, Key: key }));
    Validations.of(receiver).acknowledge({
      id: 'Serverless-LambdaDLQ',
      reason: 'Only asynchronous calls use it, and the bridge calls the URL and waits for the answer.',
    });
    Validations.of(receiver).acknowledge({
      id: 'Serverless-LambdaTracing',
      reason: 'The bridge keeps each attempt with its duration; traces would cost more than the receiver.',
    });
    // Anybody may call it: what counts is the signature.
    const url = receiver.addFunctionUrl({ authType: FunctionUrlAuthType.NONE });

    new CfnOutput(this, 'ApiUrl', { value: bridge.apiUrl });
    new CfnOutput(this, 'ApiKeySecretArn', { value: bridge.apiKeys.secretArn });
    new CfnOutput(this, 'TopazApiKeySecretArn', { value: bridge.topazApiKey.secretArn });
    new CfnOutput(this, 'CallbackUrl', { value: url.url });
  }
}
