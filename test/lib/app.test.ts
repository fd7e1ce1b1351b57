import { Template } from 'aws-cdk-lib/assertions';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { describe, expect, it } from 'vitest';
import { build, synthesize } from './synthesize.ts';

describe('the app', () => {
  it('synthesizes with every setting in use', () => {
    const { template } = synthesize({
      topazBaseUrl: 'https://topaz.example',
      bucketName: 'our-videos',
      alarmEmail: 'ops@example.com',
      eventBusName: 'video-events',
      customerKey: 'arn:aws:kms:eu-west-1:123456789012:key/0b5f4a39-5f6c-4f6e-8a53-0c7c1a9c9a11',
    });
    expect(template.Outputs.VideoBucketName.Value).toBe('our-videos');
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
