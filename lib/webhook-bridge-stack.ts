import { Arn, ArnFormat, CfnOutput, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { readConfig } from './config.ts';
import { WebhookBridge } from './webhook-bridge.ts';

/** The bridge as a stack: settings from the context in, what a user needs to begin out. */
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
    const { api, secrets, videos, monitoring } = new WebhookBridge(this, 'Bridge', config);
    const output = (name: string, value: string, description: string) =>
      new CfnOutput(this, name, { value, description });
    output('ApiUrl', api.url, "The bridge's HTTP API");
    output('ApiKeySecretArn', secrets.apiKeys.secretArn, 'Secret with the keys to the API');
    output('TopazApiKeySecretArn', secrets.topazApiKey.secretArn, 'Secret to put your Topaz API key into');
    output('VideoBucketName', videos.bucket.bucketName, 'Bucket of the stored videos');
    output('DashboardUrl', monitoring.dashboardUrl, 'What the bridge is doing');
  }
}
