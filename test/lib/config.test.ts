import { describe, expect, it } from 'vitest';
import { readConfig } from '../../lib/config.ts';

const read = (context: Record<string, unknown>) => readConfig({ tryGetContext: (name) => context[name] });

describe('settings', () => {
  it('have defaults with which the bridge can be deployed', () => {
    expect(read({})).toEqual({
      topazBaseUrl: 'https://api.topazlabs.com',
      maxPollsPerSecond: 10,
      notFoundMinutes: 10,
      pendingDays: 8,
      smallAccount: false,
      maxCopies: 4,
      maxDispatches: 10,
      maxDeliveries: 50,
      maxWaits: 5,
      stackName: 'TopazWebhookBridge',
      formerBuckets: [],
      formerKeys: [],
      tracing: false,
      systemLogLevel: 'WARN',
      keyTemplate: 'videos/{requestId}/{filename}',
      retentionDays: 30,
      linkDays: 7,
    });
  });

  it.each([true, 'true'])(
    'give each lane two workers in a small account, or what is given (%s)',
    (smallAccount) => {
      const small = { maxCopies: 2, maxDispatches: 2, maxDeliveries: 2, maxWaits: 2 };
      expect(read({ smallAccount })).toMatchObject(small);
      expect(read({ smallAccount, maxDeliveries: 3 })).toMatchObject({ ...small, maxDeliveries: 3 });
    },
  );

  it('ask for no more polls in a small account than its two workers make', () => {
    expect(read({ smallAccount: true, maxPollsPerSecond: 40 }).maxPollsPerSecond).toBe(40);
    expect(() => read({ smallAccount: true, maxPollsPerSecond: 41 })).toThrow(
      '`maxPollsPerSecond` must be at most 40',
    );
    expect(read({ maxPollsPerSecond: 41 }).maxPollsPerSecond).toBe(41);
  });

  it('may be numbers in cdk.json or text on the command line', () => {
    expect(read({ retentionDays: 90 }).retentionDays).toBe(90);
    expect(read({ retentionDays: '90' }).retentionDays).toBe(90);
  });

  it('count as not set when empty', () => {
    expect(read({ bucketName: '', linkDays: '' })).toMatchObject({ linkDays: 7 });
  });

  it('may be lists in cdk.json or names with commas on the command line', () => {
    const buckets = ['our-videos', 'our-archive/videos/'];
    expect(read({ formerBuckets: buckets }).formerBuckets).toEqual(buckets);
    expect(read({ formerBuckets: buckets.join(',') }).formerBuckets).toEqual(buckets);
  });

  it('may be true and false in cdk.json or text on the command line', () => {
    for (const tracing of [true, 'true']) expect(read({ tracing }).tracing).toBe(true);
    for (const tracing of [false, 'false', '']) expect(read({ tracing }).tracing).toBe(false);
  });

  it('let links live as long as the rows that they need, and no longer', () => {
    expect(read({ linkDays: 30, retentionDays: 30 }).linkDays).toBe(30);
    expect(() => read({ linkDays: 31 })).toThrow('`linkDays` must be at most `retentionDays`');
    expect(() => read({ retentionDays: 6 })).toThrow('lower it, or raise `retentionDays`');
  });

  it('lose the trailing slash of the base URL, to which paths are appended', () => {
    expect(read({ topazBaseUrl: 'https://topaz.example/api/' }).topazBaseUrl).toBe(
      'https://topaz.example/api',
    );
  });

  it.each([
    ['topazBaseUrl', 'http://api.topazlabs.com', 'must be an https URL'],
    ['topazBaseUrl', 'https://user@api.topazlabs.com', 'must have no user'],
    ['maxPollsPerSecond', 'ten', 'must be a whole number of requests per second'],
    ['maxPollsPerSecond', 0, 'must be at least 1'],
    ['maxCopies', 1, 'must be at least 2'],
    ['retentionDays', 1.5, 'must be a whole number of days'],
    ['linkDays', true, 'must be a whole number of days'],
    ['bucketName', 'My_Bucket', 'must be the name of an S3 bucket'],
    ['keyTemplate', '/{requestId}', 'must not begin with a slash'],
    ['keyTemplate', 'videos/{filename}', 'must contain {requestId}'],
    ['keyTemplate', '{requestId}/{user}', 'may use only {requestId}, {filename}, {ext}, {date}'],
    ['keyTemplate', '{requestId}/{', 'may use only {requestId}, {filename}, {ext}, {date}'],
    ['keyTemplate', '{requestId}/a\nb', 'must have no control characters'],
    ['keyTemplate', '../{requestId}', 'must have no segment that is . or ..'],
    ['keyTemplate', 'a/./{requestId}', 'must have no segment that is . or ..'],
    ['keyTemplate', `{requestId}/${'{filename}'.repeat(10)}`, 'gives keys of more than 1024 bytes'],
    ['keyTemplate', `{requestId}/${'ä'.repeat(500)}`, 'gives keys of more than 1024 bytes'],
    ['alarmEmail', 'ops', 'must be an e-mail address'],
    ['eventBusName', 'arn:aws:events:us-east-1:123456789012:event-bus/x', 'not its ARN'],
    ['customerKey', 'alias/mine', 'must be the ARN of a KMS key'],
    ['formerKeys', 'alias/mine', 'must be ARNs of KMS keys'],
    ['formerBuckets', 'arn:aws:s3:::our-videos', 'must be names of S3 buckets'],
    ['formerBuckets', 'our-videos,Their_Videos', 'must be names of S3 buckets'],
    ['formerBuckets', 'our-videos/*', 'must be names of S3 buckets'],
    ['maxDispatches', 1, 'must be at least 2'],
    ['maxDeliveries', 1001, 'must be at most 1000'],
    ['stackName', 'my stack', 'must be letters, digits and hyphens'],
    ['tableName', 'arn:aws:dynamodb:us-east-1:123456789012:table/x', 'not its ARN'],
    ['tracing', 'yes', 'must be true or false'],
    ['systemLogLevel', 'ERROR', 'must be DEBUG, INFO or WARN'],
  ])('are refused by name: %s = %j', (name, value, reason) => {
    expect(() => read({ [name]: value })).toThrow(`\`${name}\` `);
    expect(() => read({ [name]: value })).toThrow(reason);
  });

  it('let a key template use dots within a name', () => {
    expect(read({ keyTemplate: 'v1..2/{requestId}/.../{filename}' })).toBeDefined();
  });

  it('are refused all at once, so that one deployment finds every mistake', () => {
    expect(() => read({ linkDays: 0, alarmEmail: 'ops' })).toThrow(/`linkDays`.*`alarmEmail`/);
  });
});
