import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { WebhookBridge } from '../../lib/index.ts'; // in your app: 'topaz-video-webhooks'

export type ExistingBucketAndKeyProps = StackProps & {
  readonly bucketName: string;
  /** The ARN of the key that encrypts the bucket, and the bridge's table. */
  readonly keyArn: string;
  /** The secret whose text is the Topaz API key. */
  readonly topazSecretName: string;
};

/** Stores the videos in an existing bucket, under a separate prefix, encrypted by an existing key. */
export class ExistingBucketAndKeyStack extends Stack {
  constructor(scope: Construct, id: string, props: ExistingBucketAndKeyProps) {
    super(scope, id, props);
    const encryptionKey = Key.fromKeyArn(this, 'Key', props.keyArn);
    const bridge = new WebhookBridge(this, 'Bridge', {
      bucket: Bucket.fromBucketAttributes(this, 'Bucket', { bucketName: props.bucketName, encryptionKey }),
      encryptionKey,
      // Of the bucket, the bridge may reach nothing else.
      keyTemplate: 'topaz/{date}/{requestId}/{filename}',
      topazApiKey: Secret.fromSecretNameV2(this, 'TopazApiKey', props.topazSecretName),
      retention: Duration.days(90),
      linkLifetime: Duration.days(30),
    });

    new CfnOutput(this, 'ApiUrl', { value: bridge.apiUrl });
    new CfnOutput(this, 'ApiKeySecretArn', { value: bridge.apiKeys.secretArn });
  }
}
