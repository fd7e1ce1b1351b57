import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { WebhookBridge } from '../../lib/index.ts'; // in your app: 'topaz-video-webhooks'

/** The bridge with all defaults: it creates everything that it needs. */
export class PlainStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const bridge = new WebhookBridge(this, 'Bridge');
    new CfnOutput(this, 'ApiUrl', { value: bridge.apiUrl });
    new CfnOutput(this, 'ApiKeySecretArn', { value: bridge.apiKeys.secretArn });
    new CfnOutput(this, 'TopazApiKeySecretArn', { value: bridge.topazApiKey.secretArn });
  }
}
