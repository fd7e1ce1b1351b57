import { Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { Api } from './api.ts';
import type { BridgeFunction } from './bridge-function.ts';
import { BridgeTable } from './bridge-table.ts';
import { Clock } from './clock.ts';
import type { BridgeConfig } from './config.ts';
import { Monitoring } from './monitoring.ts';
import { BridgeSecrets } from './secrets.ts';
import { Stage } from './stage.ts';
import { VideoBucket } from './video-bucket.ts';

/** Polls per second that one poll worker keeps up with. */
const POLLS_PER_WORKER = 20;
/** The fewest workers at a time that Lambda allows to set. */
const LEAST_CONCURRENCY = 2;
const WRITE = ['PutItem', 'UpdateItem', 'DeleteItem', 'ConditionCheckItem'] as const;

/** The bridge: registered requests in, polled upstream, videos copied, webhooks out. */
export class WebhookBridge extends Construct {
  readonly api: Api;
  readonly secrets: BridgeSecrets;
  readonly videos: VideoBucket;
  readonly monitoring: Monitoring;

  constructor(scope: Construct, id: string, config: BridgeConfig) {
    super(scope, id);
    const { customerKey, formerKeys } = this.keys(config);
    const table = new BridgeTable(this, 'Table', { tableName: config.tableName, customerKey, formerKeys });
    const videos = new VideoBucket(this, 'Videos', {
      bucketName: config.bucketName,
      keyTemplate: config.keyTemplate,
      formerBuckets: config.formerBuckets,
      customerKey,
      formerKeys,
    });
    const secrets = new BridgeSecrets(this, 'Secrets');

    const telemetry = { tracing: config.tracing, systemLogLevel: config.systemLogLevel };
    const api = new Api(this, 'Api', { telemetry });
    const clock = new Clock(this, 'Clock', { telemetry });
    const pollers = Math.max(LEAST_CONCURRENCY, Math.ceil(config.maxPollsPerSecond / POLLS_PER_WORKER));
    const poll = new Stage(this, 'Poll', {
      stage: 'poll',
      timeout: Duration.seconds(60),
      memorySize: 512,
      telemetry,
      lanes: { poll: { batchSize: 10, maxConcurrency: pollers } },
    });
    const copy = new Stage(this, 'Copy', {
      stage: 'copy',
      timeout: Duration.minutes(15),
      memorySize: 2048,
      telemetry,
      lanes: { copy: { batchSize: 1, maxConcurrency: config.maxCopies } },
    });
    const dispatch = new Stage(this, 'Dispatch', {
      stage: 'dispatch',
      timeout: Duration.seconds(60),
      memorySize: 512,
      telemetry,
      lanes: { dispatch: { batchSize: 10, maxConcurrency: config.maxDispatches } },
    });
    const deliver = new Stage(this, 'Deliver', {
      stage: 'deliver',
      timeout: Duration.seconds(60),
      memorySize: 512,
      telemetry,
      // Slow, failing and unproven endpoints have workers of their own, each message one of them.
      lanes: {
        deliver: { batchSize: 10, maxConcurrency: config.maxDeliveries },
        'deliver-slow': { batchSize: 1, maxConcurrency: config.maxDeliveries },
      },
    });
    const workers = [poll, copy, dispatch, deliver];
    const queues = workers.flatMap((stage) => stage.queues);

    // Who wakes whom.
    poll.grantHints(api.fn, poll.fn, copy.fn);
    copy.grantHints(api.fn, poll.fn, copy.fn);
    dispatch.grantHints(api.fn, poll.fn, copy.fn, dispatch.fn, deliver.fn);
    deliver.grantHints(api.fn, dispatch.fn, deliver.fn);
    for (const queue of queues) queue.grantSweep(clock.fn);

    // Who holds what.
    table.connect(clock.fn, { actions: [], indexes: ['due'] });
    table.connect(api.fn, {
      actions: [...WRITE, 'GetItem', 'BatchGetItem', 'Query'],
      indexes: ['due', 'list'],
    });
    table.connect(poll.fn, { actions: [...WRITE, 'GetItem'] });
    table.connect(copy.fn, { actions: [...WRITE, 'GetItem', 'Query'] });
    for (const { fn } of [dispatch, deliver]) {
      table.connect(fn, { actions: [...WRITE, 'GetItem', 'BatchGetItem', 'Query'] });
    }
    videos.connectWriter(copy.fn);
    videos.connectReader(api.fn);
    secrets.grantTopazApiKey(poll.fn);
    secrets.grantApiKeys(api.fn);
    secrets.grantLinkSecret(api.fn);
    secrets.grantLinkSecret(deliver.fn);
    if (config.eventBusName) grantEventBus(config.eventBusName, deliver.fn);

    // Who is set how.
    poll.fn.addEnvironment('TOPAZ_BASE_URL', config.topazBaseUrl);
    poll.fn.addEnvironment('MAX_POLLS_PER_SECOND', String(config.maxPollsPerSecond));
    poll.fn.addEnvironment('POLL_CONCURRENCY', String(pollers));
    poll.fn.addEnvironment('NOT_FOUND_MINUTES', String(config.notFoundMinutes));
    poll.fn.addEnvironment('PENDING_DAYS', String(config.pendingDays));
    copy.fn.addEnvironment('KEY_TEMPLATE', config.keyTemplate);
    deliver.fn.addEnvironment('MAX_DELIVERIES', String(config.maxDeliveries));
    // Both make links: one for messages that it sends, the other for those that are fetched.
    for (const { fn } of [api, deliver]) {
      fn.addEnvironment('LINK_DAYS', String(config.linkDays));
      fn.addEnvironment('PUBLIC_URL', api.url);
    }
    for (const { fn } of [api, ...workers]) fn.addEnvironment('RETENTION_DAYS', String(config.retentionDays));
    if (config.eventBusName) api.fn.addEnvironment('EVENT_BUS_NAME', config.eventBusName);
    // Only the local runtime lets them call loopback addresses.
    for (const { fn } of [api, copy, deliver]) fn.addEnvironment('ALLOW_LOOPBACK', 'false');

    this.api = api;
    this.secrets = secrets;
    this.videos = videos;
    this.monitoring = new Monitoring(this, 'Monitoring', {
      functions: {
        api: api.fn,
        tick: clock.fn,
        poll: poll.fn,
        copy: copy.fn,
        dispatch: dispatch.fn,
        deliver: deliver.fn,
      },
      tick: clock.fn,
      queues,
      alarmEmail: config.alarmEmail,
    });
  }

  private keys(config: BridgeConfig): { customerKey?: IKey; formerKeys: IKey[] } {
    const { customerKey, formerKeys } = config;
    return {
      ...(customerKey && { customerKey: Key.fromKeyArn(this, 'CustomerKey', customerKey) }),
      formerKeys: formerKeys.map((arn, n) => Key.fromKeyArn(this, `FormerKey${n}`, arn)),
    };
  }
}

function grantEventBus(name: string, fn: BridgeFunction): void {
  const bus = Stack.of(fn).formatArn({ service: 'events', resource: 'event-bus', resourceName: name });
  fn.addToRolePolicy(new PolicyStatement({ actions: ['events:PutEvents'], resources: [bus] }));
}
