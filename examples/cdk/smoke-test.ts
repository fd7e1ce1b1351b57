import { fileURLToPath } from 'node:url';
import { CfnOutput, Duration, Fn, RemovalPolicy, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import { AttributeType, Billing, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Code,
  type FunctionUrl,
  FunctionUrlAuthType,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { WebhookBridge } from '../../lib/index.ts'; // in your app: 'topaz-video-webhooks'

/** The video that the stand-in for Topaz hands out. */
export const VIDEO_FILE = fileURLToPath(new URL('../../local/topaz/video.mp4', import.meta.url));

/** A bridge between a stand-in for Topaz and a receiver: `npm run smoke -- --stack NAME` tests it as a whole. */
export class SmokeTestStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const video = new Asset(this, 'Video', { path: VIDEO_FILE });
    const upstream = new PublicFunction(this, 'Upstream', {
      environment: { VIDEO_BUCKET: video.s3BucketName, VIDEO_KEY: video.s3ObjectKey },
    });
    // Signed URLs let others do what their signer may.
    upstream.fn.addToRolePolicy(
      new PolicyStatement({
        actions: ['s3:GetObject'],
        resources: [video.bucket.arnForObjects(video.s3ObjectKey)],
      }),
    );

    const received = new TableV2(this, 'Received', {
      partitionKey: { name: 'requestId', type: AttributeType.STRING },
      sortKey: { name: 'receipt', type: AttributeType.STRING },
      timeToLiveAttribute: 'expiresAt',
      billing: Billing.onDemand(),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    Validations.of(received).acknowledge({
      id: 'AwsSolutions-DDB3',
      reason: 'It holds the webhooks of a test for a day.',
    });
    const receiver = new PublicFunction(this, 'Receiver', { environment: { TABLE: received.tableName } });
    received.grant(receiver.fn, 'dynamodb:PutItem');

    const topazApiKey = new Secret(this, 'TopazApiKey', {
      description: 'The stand-in for Topaz takes any key.',
      generateSecretString: { excludePunctuation: true },
    });
    Validations.of(topazApiKey).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'It opens nothing.',
    });
    const bridge = new WebhookBridge(this, 'Bridge', {
      topazBaseUrl: upstream.origin,
      topazApiKey,
      removalPolicy: RemovalPolicy.DESTROY,
    });

    new CfnOutput(this, 'ApiUrl', { value: bridge.apiUrl });
    new CfnOutput(this, 'ApiKeySecretArn', { value: bridge.apiKeys.secretArn });
    new CfnOutput(this, 'CallbackUrl', { value: `${receiver.origin}/hooks` });
    new CfnOutput(this, 'VideoBucketName', { value: bridge.bucket.bucketName });
    new CfnOutput(this, 'ReceivedTable', { value: received.tableName });
  }
}

/** A function with a URL that anyone may call; its code is in the folder of its name. */
class PublicFunction extends Construct {
  readonly fn: LambdaFunction;
  /** `https://` and the host, without a trailing slash. */
  readonly origin: string;

  constructor(scope: Construct, id: string, { environment }: { environment: Record<string, string> }) {
    super(scope, id);
    const logGroup = new LogGroup(this, 'Logs', {
      retention: RetentionDays.ONE_WEEK,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    this.fn = new LambdaFunction(this, 'Function', {
      code: Code.fromAsset(fileURLToPath(new URL(`./smoke-test/${id.toLowerCase()}`, import.meta.url))),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 256,
      timeout: Duration.seconds(10),
      environment,
      role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
    });
    Validations.of(this.fn).acknowledge({
      id: 'Serverless-LambdaDLQ',
      reason: 'Only asynchronous calls use it, and those who call the URL wait for the answer.',
    });
    Validations.of(this.fn).acknowledge({
      id: 'Serverless-LambdaTracing',
      reason: 'A test of some minutes needs no traces.',
    });
    this.origin = originOf(this.fn.addFunctionUrl({ authType: FunctionUrlAuthType.NONE }));
  }
}

/** The URL of a function ends with a slash. */
const originOf = ({ url }: FunctionUrl): string => `https://${Fn.select(2, Fn.split('/', url))}`;
