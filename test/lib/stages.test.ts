import { describe, expect, it } from 'vitest';
import { synthesize, target } from './synthesize.ts';

const STAGES = ['api', 'tick', 'poll', 'copy', 'dispatch', 'deliver'];
const { template, all, resources, fn, environment, granted, statements } = synthesize();

/** What feeds the worker of a lane, found by the queue that the tick knows the lane by. */
const mappingOf = (lane: string) => {
  const queue = target(environment('tick')[`${lane.toUpperCase().replace('-', '_')}_QUEUE_URL`]);
  const mapping = all('AWS::Lambda::EventSourceMapping').find(
    ([, r]) => target(r.Properties.EventSourceArn) === queue,
  );
  if (!mapping) throw new Error(`Nothing reads the queue of the lane ${lane}.`);
  return mapping[1].Properties;
};

describe('every queue', () => {
  const queues = all('AWS::SQS::Queue');
  const redrives = queues.flatMap(([, r]) => r.Properties.RedrivePolicy ?? []) as {
    deadLetterTargetArn: unknown;
    maxReceiveCount: number;
  }[];
  const deadLetters = redrives.map((redrive) => target(redrive.deadLetterTargetArn));

  it('is encrypted and admits TLS only', () => {
    for (const [id, { Properties }] of queues) {
      expect(Properties.SqsManagedSseEnabled, id).toBe(true);
      const policy = all('AWS::SQS::QueuePolicy').find(
        ([, r]) => target((r.Properties.Queues as unknown[])[0]) === id,
      );
      expect(policy?.[1].Properties.PolicyDocument, id).toMatchObject({
        Statement: [
          { Effect: 'Deny', Action: 'sqs:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
        ],
      });
    }
  });

  it('of a lane gives what was received ten times to the dead letters of all', () => {
    expect(redrives.map((redrive) => redrive.maxReceiveCount)).toEqual([10, 10, 10, 10, 10]);
    const without = queues.filter(([, r]) => !r.Properties.RedrivePolicy).map(([id]) => id);
    expect(without).toHaveLength(1);
    expect(new Set(deadLetters)).toEqual(new Set(without));
  });
});

describe('every mapping', () => {
  it('hides a message for six times as long as its function may take', () => {
    for (const [id, { Properties }] of all('AWS::Lambda::EventSourceMapping')) {
      const timeout = resources[target(Properties.FunctionName)]!.Properties.Timeout as number;
      const queue = resources[target(Properties.EventSourceArn)]!;
      expect(queue.Properties.VisibilityTimeout, id).toBe(6 * timeout);
    }
  });

  it('takes partial batch failures, and waits for no fuller batch', () => {
    for (const [id, { Properties }] of all('AWS::Lambda::EventSourceMapping')) {
      expect(Properties.FunctionResponseTypes, id).toEqual(['ReportBatchItemFailures']);
      expect(Properties.MaximumBatchingWindowInSeconds, id).toBe(0);
    }
  });

  it.each([
    ['poll', 'poll', 10, { MaximumConcurrency: 2 }],
    ['copy', 'copy', 1, { MaximumConcurrency: 4 }],
    ['dispatch', 'dispatch', 10, { MaximumConcurrency: 10 }],
    ['deliver', 'deliver', 10, { MaximumConcurrency: 50 }],
    ['deliver-slow', 'deliver', 1, { MaximumConcurrency: 50 }],
  ])('of the lane %s wakes %s with %i at a time, bounded by %j', (lane, stage, BatchSize, ScalingConfig) => {
    expect(target(mappingOf(lane).FunctionName)).toBe(fn(stage)[0]);
    expect(mappingOf(lane)).toMatchObject({ BatchSize });
    expect(mappingOf(lane).ScalingConfig).toEqual(ScalingConfig);
  });

  it('is as wide as the settings say', () => {
    const wide = synthesize({ maxCopies: 40, maxDispatches: 20, maxDeliveries: 30 });
    const maxima = wide
      .all('AWS::Lambda::EventSourceMapping')
      .map(([, r]) => (r.Properties.ScalingConfig as { MaximumConcurrency: number }).MaximumConcurrency);
    expect(maxima.sort()).toEqual([2, 20, 30, 30, 40]);
  });
});

describe('every function', () => {
  const functions = all('AWS::Lambda::Function');

  it('runs on Node 24 and arm64, without reserved concurrency', () => {
    expect(functions).toHaveLength(STAGES.length);
    for (const [id, { Properties }] of functions) {
      expect(Properties, id).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        MemorySize: expect.any(Number),
      });
      expect(Properties, id).not.toHaveProperty('ReservedConcurrentExecutions');
    }
  });

  it('is traced, and logged by Lambda itself, only as far as the settings say', () => {
    const traced = synthesize({ tracing: true, systemLogLevel: 'INFO' });
    for (const [settings, mode, level] of [
      [{ all }, undefined, 'WARN'],
      [traced, 'Active', 'INFO'],
    ] as const) {
      for (const [id, { Properties }] of settings.all('AWS::Lambda::Function')) {
        expect((Properties.TracingConfig as { Mode: string } | undefined)?.Mode, id).toBe(mode);
        expect(Properties.LoggingConfig, id).toMatchObject({ SystemLogLevel: level });
      }
    }
  });

  it('may wake itself again and again: Lambda would else end a job after some 16 polls', () => {
    for (const [id, { Properties }] of functions) expect(Properties.RecursiveLoop, id).toBe('Allow');
  });

  it('logs JSON to a log group of its own that forgets', () => {
    const groups = functions.map(
      ([, r]) => r.Properties.LoggingConfig as { LogFormat: string; LogGroup: unknown },
    );
    expect(new Set(groups.map(({ LogGroup }) => target(LogGroup))).size).toBe(functions.length);
    for (const { LogFormat, LogGroup } of groups) {
      expect(LogFormat).toBe('JSON');
      expect(resources[target(LogGroup)]!.Properties.RetentionInDays).toBe(30);
    }
  });

  it.each([
    ['api', 29],
    ['tick', 55],
    ['copy', 900],
  ])('ends when its caller expects it: %s after %i s', (stage, seconds) => {
    expect(fn(stage)[1].Properties.Timeout).toBe(seconds);
  });
});

describe('hints', () => {
  it.each([
    ['api', ['COPY', 'DELIVER', 'DELIVER_SLOW', 'DISPATCH', 'POLL']],
    ['tick', ['COPY', 'DELIVER', 'DELIVER_SLOW', 'DISPATCH', 'POLL']],
    ['poll', ['COPY', 'DISPATCH', 'POLL']],
    ['copy', ['COPY', 'DISPATCH', 'POLL']],
    ['dispatch', ['DELIVER', 'DELIVER_SLOW', 'DISPATCH']],
    ['deliver', ['DELIVER', 'DELIVER_SLOW', 'DISPATCH']],
  ])('of %s go to %j, which it may send to and knows', (stage, lanes) => {
    const known = Object.entries(environment(stage)).filter(([name]) => name.endsWith('_QUEUE_URL'));
    expect(known.map(([name]) => name.replace('_QUEUE_URL', '')).sort()).toEqual(lanes);
    const sendable = granted(stage, 'sqs:SendMessage')
      .map(({ on }) => on)
      .join();
    for (const [, url] of known) expect(sendable).toContain(`"${target(url)}"`);
    expect(sendable.match(/Fn::GetAtt/g)).toHaveLength(lanes.length);
  });
});

describe('a worker', () => {
  it.each([
    ['poll', ['poll']],
    ['copy', ['copy']],
    ['dispatch', ['dispatch']],
    ['deliver', ['deliver', 'deliver-slow']],
  ])('of %s receives and deletes the messages of its own lanes only: %j', (stage, lanes) => {
    for (const action of ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes']) {
      const on = granted(stage, action)
        .map((grant) => grant.on)
        .join();
      for (const lane of lanes) expect(on).toContain(`"${target(mappingOf(lane).EventSourceArn)}"`);
      expect(on.match(/Fn::GetAtt/g)).toHaveLength(lanes.length);
    }
    const actions = granted(stage, 'sqs:').flatMap((grant) => grant.actions);
    expect(actions).not.toContain('sqs:GetQueueUrl');
    expect(actions).not.toContain('sqs:ChangeMessageVisibility');
  });
});

describe('the tick', () => {
  it('runs every minute, without retries', () => {
    expect(all('AWS::Scheduler::Schedule').map(([, r]) => r.Properties)).toMatchObject([
      {
        ScheduleExpression: 'rate(1 minute)',
        Target: { Arn: { 'Fn::GetAtt': [fn('tick')[0], 'Arn'] }, RetryPolicy: { MaximumRetryAttempts: 0 } },
      },
    ]);
    expect(all('AWS::Lambda::EventInvokeConfig').map(([, r]) => r.Properties)).toMatchObject([
      { FunctionName: { Ref: fn('tick')[0] }, MaximumRetryAttempts: 0 },
    ]);
  });

  it('is all that the schedule may invoke', () => {
    const { RoleArn } = all('AWS::Scheduler::Schedule')[0]![1].Properties.Target as { RoleArn: unknown };
    expect(statements(target(RoleArn))).toMatchObject([
      { Action: 'lambda:InvokeFunction', Resource: { 'Fn::GetAtt': [fn('tick')[0], 'Arn'] } },
    ]);
  });

  it('is invoked by schedules of its own account only', () => {
    const { RoleArn } = all('AWS::Scheduler::Schedule')[0]![1].Properties.Target as { RoleArn: unknown };
    expect(resources[target(RoleArn)]!.Properties.AssumeRolePolicyDocument).toMatchObject({
      Statement: [{ Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } } }],
    });
  });

  it('sees how full each queue is', () => {
    const [grant] = granted('tick', 'sqs:GetQueueAttributes');
    expect(grant?.on.match(/Fn::GetAtt/g)).toHaveLength(5);
  });
});

describe('the HTTP API', () => {
  it('has one route, to the api stage, in payload format 2.0', () => {
    expect(all('AWS::ApiGatewayV2::Route').map(([, r]) => r.Properties.RouteKey)).toEqual(['$default']);
    expect(all('AWS::ApiGatewayV2::Integration').map(([, r]) => r.Properties)).toMatchObject([
      { PayloadFormatVersion: '2.0', IntegrationUri: { 'Fn::GetAtt': [fn('api')[0], 'Arn'] } },
    ]);
  });

  it('is throttled, and logs calls without their path, a key to a video, and what a client says', () => {
    const [[, stage] = []] = all('AWS::ApiGatewayV2::Stage');
    const { DefaultRouteSettings, AccessLogSettings } = stage!.Properties as Record<
      string,
      Record<string, string>
    >;
    expect(Object.keys(DefaultRouteSettings!).sort()).toEqual([
      'ThrottlingBurstLimit',
      'ThrottlingRateLimit',
    ]);
    expect(AccessLogSettings!.Format).toContain('$context.status');
    const logs = resources[target(AccessLogSettings!.DestinationArn)];
    expect(logs!.Properties.LogGroupName).toBe('/aws/vendedlogs/TopazWebhookBridge/api-access');
    expect(AccessLogSettings!.Format).not.toMatch(/path|authorization|querystring|userAgent/i);
  });
});

describe('the configuration of the functions', () => {
  it('names each setting to the stage that heeds it', () => {
    const set = synthesize({
      topazBaseUrl: 'https://topaz.example',
      maxPollsPerSecond: 4,
      maxWaits: 7,
      keyTemplate: '{requestId}.mp4',
      retentionDays: 90,
      linkDays: 3,
      eventBusName: 'video-events',
    });
    expect(set.environment('poll')).toMatchObject({
      TOPAZ_BASE_URL: 'https://topaz.example',
      MAX_POLLS_PER_SECOND: '4',
      POLL_CONCURRENCY: '2',
    });
    expect(set.environment('copy').KEY_TEMPLATE).toBe('{requestId}.mp4');
    expect(set.environment('deliver')).toMatchObject({ LINK_DAYS: '3' });
    expect(set.environment('api')).toMatchObject({
      LINK_DAYS: '3',
      MAX_WAITS: '7',
      EVENT_BUS_NAME: 'video-events',
    });
    for (const stage of ['api', 'poll', 'copy', 'dispatch', 'deliver']) {
      expect(set.environment(stage).RETENTION_DAYS).toBe('90');
    }
    expect(set.granted('deliver', 'events:')).toMatchObject([{ actions: ['events:PutEvents'] }]);
    expect(set.granted('deliver', 'events:')[0]!.on).toContain(':event-bus/video-events');
  });

  it.each([
    [10, 2],
    [40, 2],
    [41, 3],
    [100, 5],
  ])('shares a cap of %i polls per second between as many poll workers as may run', (cap, workers) => {
    const set = synthesize({ maxPollsPerSecond: cap });
    expect(set.environment('poll').POLL_CONCURRENCY).toBe(String(workers));
    const mappings = set
      .all('AWS::Lambda::EventSourceMapping')
      .filter(([, { Properties }]) => target(Properties.FunctionName) === set.fn('poll')[0]);
    expect(mappings.map(([, { Properties }]) => Properties.ScalingConfig)).toEqual([
      { MaximumConcurrency: workers },
    ]);
  });

  it('gives the deliver stage the beginning of links', () => {
    expect(environment('deliver').PUBLIC_URL).toEqual(template.Outputs.ApiUrl.Value);
  });

  it('forbids loopback addresses to the functions that call addresses of users', () => {
    for (const stage of ['api', 'copy', 'deliver']) expect(environment(stage).ALLOW_LOOPBACK).toBe('false');
  });

  it('mentions no event bus where there is none', () => {
    expect(environment('api')).not.toHaveProperty('EVENT_BUS_NAME');
    expect(granted('deliver', 'events:')).toEqual([]);
  });
});

describe('permissions', () => {
  const everything = all('AWS::IAM::Role').flatMap(([id]) => statements(id).map((s) => ({ id, ...s })));

  it('name their actions one by one', () => {
    for (const { id, Action } of everything) expect([Action].flat().join(), id).not.toContain('*');
  });

  it('are for nothing less than a named resource, but for reads that know no resources', () => {
    const unnamed = everything.filter(({ Resource }) => [Resource].flat().includes('*'));
    expect(unnamed.flatMap(({ Action }) => Action)).toEqual([
      'cloudwatch:DescribeAlarms',
      'cloudwatch:GetMetricData',
    ]);
  });

  it('come from the template alone, without managed policies', () => {
    for (const [id, { Properties }] of all('AWS::IAM::Role')) {
      expect(Properties, id).not.toHaveProperty('ManagedPolicyArns');
    }
  });
});

describe('the template', () => {
  it('runs no code of its own while it is deployed', () => {
    const types = new Set(Object.values(resources).map(({ Type }) => Type));
    expect([...types].filter((type) => /Custom/.test(type))).toEqual([]);
  });

  it('leaves the names of resources to CloudFormation, but for the access logs', () => {
    const named = Object.entries(resources).filter(([, { Properties }]) =>
      [
        'QueueName',
        'TableName',
        'BucketName',
        'FunctionName',
        'RoleName',
        'LogGroupName',
        'TopicName',
        'AlarmName',
      ]
        .map((name) => Properties?.[name])
        .some((value) => typeof value === 'string'),
    );
    expect(named.map(([, { Properties }]) => Properties.LogGroupName)).toEqual([
      '/aws/vendedlogs/TopazWebhookBridge/api-access',
    ]);
  });
});
