import { App } from 'aws-cdk-lib';
import { buildBundles } from '../../build/bundles.ts';
import { ExistingBucketAndKeyStack } from './existing-bucket-and-key.ts';
import { FunctionUrlReceiverStack } from './function-url-receiver.ts';
import { PlainStack } from './plain.ts';
import { SmokeTestStack } from './smoke-test.ts';
import { StepFunctionsStack } from './step-functions.ts';
import { VpcWithEgressFilterStack } from './vpc-with-egress-filter.ts';

/** Every example as a stack, once the bundles of the functions are built. */
export function examples(outdir?: string): App {
  const app = new App({ outdir });
  const env = { account: '123456789012', region: 'eu-central-1' };
  new PlainStack(app, 'Plain');
  new ExistingBucketAndKeyStack(app, 'ExistingBucketAndKey', {
    env,
    bucketName: 'our-videos',
    keyArn: 'arn:aws:kms:eu-central-1:123456789012:key/0b5f4a39-5f6c-4f6e-8a53-0c7c1a9c9a11',
    topazSecretName: 'topaz-api-key',
  });
  new VpcWithEgressFilterStack(app, 'VpcWithEgressFilter');
  new StepFunctionsStack(app, 'StepFunctions');
  new FunctionUrlReceiverStack(app, 'FunctionUrlReceiver');
  new SmokeTestStack(app, 'SmokeTest');
  return app;
}

// npx cdk --app 'npx node examples/cdk/app.ts' deploy Plain
if (import.meta.main) {
  await buildBundles();
  examples().synth();
}
