import { Template } from 'aws-cdk-lib/assertions';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { afterEach, describe, expect, it } from 'vitest';
import { build, removeOutput, synthesize } from './synthesize.ts';

afterEach(removeOutput);

describe('the app', () => {
  it('synthesizes with every setting in use', () => {
    const { template } = synthesize({
      topazBaseUrl: 'https://topaz.example',
      bucketName: 'our-videos',
      alarmEmail: 'ops@example.com',
      eventBusName: 'video-events',
      customerKey: 'arn:aws:kms:eu-west-1:123456789012:key/0b5f4a39-5f6c-4f6e-8a53-0c7c1a9c9a11',
      formerKeys: 'arn:aws:kms:eu-west-1:123456789012:key/8d1c5b0e-22c6-4b0b-9d7b-5a7a1f1f7c21',
      formerBuckets: 'our-archive/videos/',
      tableName: 'restored',
      tracing: 'true',
      stackName: 'VideoHooks',
    });
    expect(template.Outputs.VideoBucketName.Value).toBe('our-videos');
  });

  it('is one of several in an account and region when each has a stack name of its own', () => {
    const named = { a: synthesize({ stackName: 'HooksA' }), b: synthesize({ stackName: 'HooksB' }) };
    // What has a name of its own in the template is named after the stack.
    const text = JSON.stringify(named.a.template);
    expect(JSON.stringify(named.b.template)).toBe(text.replaceAll('HooksA', 'HooksB'));
    expect(named.a.all('AWS::Logs::LogGroup').flatMap(([, r]) => r.Properties.LogGroupName ?? [])).toEqual([
      '/aws/vendedlogs/HooksA/api-access',
    ]);
    for (const stage of ['api', 'tick', 'poll', 'copy', 'dispatch', 'deliver']) {
      expect(named.a.environment(stage).POWERTOOLS_SERVICE_NAME).toBe('HooksA');
    }
  });

  it('uses an existing bucket in whatever region it is deployed to', () => {
    expect(synthesize({ bucketName: 'our-videos' }).template.Outputs.VideoBucketName.Value).toBe(
      'our-videos',
    );
  });

  it('does not synthesize what cdk-nag finds fault with', () => {
    const { app, stack } = build();
    new Bucket(stack, 'Open');
    expect(() => app.synth()).toThrow('AwsSolutions-S10');
  });

  it('refuses a wrong setting before anything is built', () => {
    expect(() => build({ retentionDays: 'long' })).toThrow('`retentionDays` must be a whole number of days');
  });

  it('has no circular references between resources', () => {
    expect(() => Template.fromStack(build().stack)).not.toThrow();
  });

  it('writes the same template every time', () => {
    expect(synthesize().template).toEqual(synthesize().template);
  });

  it('names the outputs as the contract does', () => {
    expect(Object.keys(synthesize().template.Outputs).sort()).toEqual([
      'ApiKeySecretArn',
      'ApiUrl',
      'DashboardUrl',
      'TopazApiKeySecretArn',
      'VideoBucketName',
    ]);
  });
});
