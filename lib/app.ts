import { App, Validations } from 'aws-cdk-lib';
import featureFlags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { buildBundles } from '../build/bundles.ts';
import { WebhookBridgeStack } from './webhook-bridge-stack.ts';

type BuildAppOptions = {
  /** Where the cloud assembly goes; default `cdk.out`, or where the CDK CLI says. */
  readonly outdir?: string;
  /** Settings (see config.ts) in addition to those that the CDK CLI passes on from `cdk.json`. */
  readonly context?: Record<string, unknown>;
};

/**
 * The app with its one stack, once the bundles of its functions are built; `synth()` writes the template and copies them.
 * @throws Error when a setting is wrong; from `synth()` when a rule of cdk-nag is broken.
 */
export function buildApp({ outdir, context }: BuildAppOptions = {}): App {
  const app = new App({
    outdir,
    context: { ...featureFlags, ...context },
    analyticsReporting: false,
  });
  new WebhookBridgeStack(app, 'TopazWebhookBridge');
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
  return app;
}

if (import.meta.main) {
  await buildBundles();
  buildApp().synth();
}
