import { Duration, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import type { DomainName } from 'aws-cdk-lib/aws-apigatewayv2';
import type { Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { type IEventBus, type IRuleTarget, Rule } from 'aws-cdk-lib/aws-events';
import { type Grant, type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { EVENT_BUS_SOURCE } from '../lambdas/domain/events/event-bus-source.ts';
import type { MetricName } from '../lambdas/domain/metrics.ts';
import { Api } from './api.ts';
import { BridgeTable, type CallbackSecretRow } from './bridge-table.ts';
import { Clock } from './clock.ts';
import { DeadLetters } from './dead-letters.ts';
import { checkLimits, pollWorkers } from './limits.ts';
import { Monitoring } from './monitoring.ts';
import { requireOwnEnvironment } from './own-environment.ts';
import { BridgeSecrets } from './secrets.ts';
import { Stage } from './stage.ts';
import { VideoBucket } from './video-bucket.ts';
import type { WebhookBridgeProps } from './webhook-bridge-props.ts';

const WRITE = ['PutItem', 'UpdateItem', 'DeleteItem'] as const;

/** The bridge: registered requests in, polled upstream, videos copied, webhooks out. */
export class WebhookBridge extends Construct {
  /** Base URL of the API, without a trailing slash. */
  readonly apiUrl: string;
  /** The keys to the API: `{"keys": [{"id", "key", "role"}], "firstKey"}`. */
  readonly apiKeys: ISecret;
  /** The secret to put your Topaz API key into. */
  readonly topazApiKey: ISecret;
  /** Where the stored videos are. */
  readonly bucket: IBucket;
  /** Where the alarms go. */
  readonly alarmTopic: ITopic;
  /** The dashboard in the console of CloudWatch. */
  readonly dashboardUrl: string;
  /** The target of a DNS record for the API's host name, if `domainName` was given. */
  readonly domainName?: DomainName;
  private readonly videos: VideoBucket;
  private readonly table: BridgeTable;
  private readonly monitoring: Monitoring;
  private readonly eventBus: IEventBus | undefined;

  /** Throws an Error that names the properties that are wrong. */
  constructor(scope: Construct, id: string, props: WebhookBridgeProps = {}) {
    super(scope, id);
    const config = limitsOf(props);
    requireOwnEnvironment(this, props);
    const { encryptionKey: customerKey, formerEncryptionKeys: formerKeys = [], removalPolicy } = props;
    const table = new BridgeTable(this, 'Table', {
      table: props.table,
      customerKey,
      formerKeys,
      removalPolicy: removalPolicy ?? RemovalPolicy.RETAIN,
    });
    const videos = new VideoBucket(this, 'Videos', {
      bucket: props.bucket,
      keyTemplate: config.keyTemplate,
      formerVideos: props.formerVideos ?? [],
      customerKey,
      formerKeys,
      // After a first deployment that failed, the bucket is empty and is deleted with the rest.
      removalPolicy: removalPolicy ?? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    const secrets = new BridgeSecrets(this, 'Secrets', { topazApiKey: props.topazApiKey });

    const bridgeName = checkedName(props.bridgeName ?? nameOf(this));
    const telemetry = {
      bridgeName,
      logRetention: props.logRetention ?? RetentionDays.ONE_MONTH,
      tracing: props.tracing ?? false,
      systemLogLevel: props.systemLogLevel ?? 'WARN',
    };
    const { vpc, vpcSubnets, securityGroups } = props;
    if (!vpc && (vpcSubnets || securityGroups)) {
      throw new Error(
        `\`vpcSubnets\` and \`securityGroups\` of ${this.node.path} need \`vpc\`: give it, too.`,
      );
    }
    // For the functions that call foreign servers.
    const network = vpc && {
      vpc,
      ...(vpcSubnets && { vpcSubnets }),
      ...(securityGroups && { securityGroups: [...securityGroups] }),
    };
    const api = new Api(this, 'Api', { telemetry, domain: domainOf(props) });
    const clock = new Clock(this, 'Clock', { telemetry });
    const deadLetters = new DeadLetters(this, 'DeadLetters');
    const pollers = pollWorkers(config.maxPollsPerSecond);
    const poll = new Stage(this, 'Poll', {
      stage: 'poll',
      timeout: Duration.seconds(60),
      memorySize: 512,
      telemetry,
      deadLetters,
      lanes: { poll: { batchSize: 10, maxConcurrency: pollers } },
    });
    const copy = new Stage(this, 'Copy', {
      stage: 'copy',
      timeout: Duration.minutes(15),
      // Lambda bills a copy by memory and time, and the network limits it before this memory's share of CPU does.
      // Not measured on Lambda: docs/scale.md, "Copies".
      memorySize: 1024,
      telemetry,
      deadLetters,
      network,
      lanes: { copy: { batchSize: 1, maxConcurrency: config.maxCopies } },
    });
    const dispatch = new Stage(this, 'Dispatch', {
      stage: 'dispatch',
      timeout: Duration.seconds(60),
      memorySize: 512,
      telemetry,
      deadLetters,
      lanes: { dispatch: { batchSize: 10, maxConcurrency: config.maxDispatches } },
    });
    const deliver = new Stage(this, 'Deliver', {
      stage: 'deliver',
      timeout: Duration.seconds(60),
      memorySize: 512,
      telemetry,
      deadLetters,
      network,
      // Slow, failing and unproven endpoints have their own workers, one for each message.
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
    for (const queue of queues) {
      queue.grantSweep(clock.fn);
      queue.grantCount(api.fn);
    }
    deadLetters.grantCount(api.fn);

    // Who holds what.
    table.connect(clock.fn, { actions: [], indexes: ['due'] });
    table.connect(api.fn, {
      actions: [...WRITE, 'ConditionCheckItem', 'GetItem', 'BatchGetItem', 'Query'],
      indexes: ['due', 'list'],
    });
    table.connect(poll.fn, { actions: [...WRITE, 'GetItem'] });
    table.connect(copy.fn, { actions: [...WRITE, 'GetItem', 'Query'] });
    table.connect(dispatch.fn, { actions: [...WRITE, 'GetItem', 'BatchGetItem', 'Query'] });
    table.connect(deliver.fn, { actions: [...WRITE, 'ConditionCheckItem', 'GetItem', 'Query'] });
    videos.connectWriter(copy.fn);
    videos.connectReader(api.fn);
    secrets.grantTopazApiKey(poll.fn);
    secrets.grantApiKeys(api.fn);
    if (props.eventBus) {
      const resources = [props.eventBus.eventBusArn];
      deliver.fn.addToRolePolicy(new PolicyStatement({ actions: ['events:PutEvents'], resources }));
      api.fn.addEnvironment('EVENT_BUS_NAME', props.eventBus.eventBusName);
    }

    // The settings of each function.
    api.fn.addEnvironment('MAX_WAITS', String(config.maxWaits));
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
    // Only the local runtime lets them call loopback addresses.
    for (const { fn } of [api, copy, deliver]) fn.addEnvironment('ALLOW_LOOPBACK', 'false');

    this.monitoring = new Monitoring(this, 'Monitoring', {
      functions: {
        api: api.fn,
        tick: clock.fn,
        poll: poll.fn,
        copy: copy.fn,
        dispatch: dispatch.fn,
        deliver: deliver.fn,
      },
      queues,
      deadLetters,
      accessLogs: api.accessLogs,
      bridgeName,
      alarmTopic: props.alarmTopic,
    });
    api.fn.addEnvironment('ALARM_PREFIX', this.monitoring.alarmPrefix);
    this.apiUrl = api.url;
    this.apiKeys = secrets.apiKeys;
    this.topazApiKey = secrets.topazApiKey;
    this.bucket = videos.bucket;
    this.alarmTopic = this.monitoring.topic;
    this.dashboardUrl = this.monitoring.dashboardUrl;
    this.domainName = api.domainName;
    this.videos = videos;
    this.table = table;
    this.eventBus = props.eventBus;
  }

  /**
   * Lets a function, a role or another principal read the stored videos. For a principal of another account the
   * bucket's policy allows it; the CDK cannot change that of an imported bucket, so allow it there yourself.
   */
  grantReadVideos(grantee: IGrantable): Grant {
    return this.videos.grantRead(grantee);
  }

  /**
   * Lets a receiver verify webhooks to `callbackUrl`s: it may read the row of the table that holds their secrets,
   * and no other. The receiver gets `secrets: [{secret, expiresAt?}]` from DynamoDB's GetItem with this table and key.
   */
  grantReadCallbackSecret(grantee: IGrantable): CallbackSecretRow {
    return this.table.grantReadCallbackSecret(grantee);
  }

  /**
   * Starts `target` for each video that arrives in the bucket. The bus gets its events from an endpoint, which you
   * create once: `POST /v1/endpoints` with `{"kind": "eventbridge", "busName": ..., "events": ["video.stored"]}`.
   * Throws when the bridge has no `eventBus`.
   *
   * @param options `crossStackScope`: where the rule is made, when `target` is in another stack that also uses the bridge
   */
  onVideoStored(id: string, target: IRuleTarget, options: { crossStackScope?: Construct } = {}): Rule {
    if (!this.eventBus)
      throw new Error(`${this.node.path} has no event bus: give it the property \`eventBus\`.`);
    return new Rule(options.crossStackScope ?? this, id, {
      eventBus: this.eventBus,
      eventPattern: {
        source: [EVENT_BUS_SOURCE],
        detailType: ['video.stored'],
        // Another bridge may use the same bus.
        detail: { data: { video: { bucket: this.videos.bucketNames } } },
      },
      targets: [target],
    });
  }

  /** One of the metrics of this bridge; [metrics.md](../docs/metrics.md) lists them. */
  metric(name: MetricName, options?: MetricOptions): Metric {
    return this.monitoring.metric(name, options);
  }

  /** Videos that arrived in the bucket, verified. */
  metricVideosStored(options?: MetricOptions): Metric {
    return this.metric('CopiesStored', options);
  }

  /** Requests that ended without their video: lost by Topaz, without a download, or not to be stored. */
  metricVideosFailed(options?: MetricOptions): Metric {
    return this.metric('VideosMissing', options);
  }

  /** Deliveries that failed at their last attempt. */
  metricDeliveriesFailed(options?: MetricOptions): Metric {
    return this.metric('DeliveriesFailed', options);
  }

  /** Work that waits for a person. */
  metricParked(options?: MetricOptions): Metric {
    return this.metric('ParkedRows', options);
  }
}

function limitsOf(props: WebhookBridgeProps) {
  return checkLimits(
    {
      topazBaseUrl: props.topazBaseUrl,
      maxPollsPerSecond: props.maxPollsPerSecond,
      notFoundMinutes: props.notFoundAfter?.toMinutes({ integral: false }),
      pendingDays: props.pendingAtMost?.toDays({ integral: false }),
      maxCopies: props.maxCopies,
      maxDispatches: props.maxDispatches,
      maxDeliveries: props.maxDeliveries,
      maxWaits: props.maxWaits,
      keyTemplate: props.keyTemplate,
      retentionDays: props.retention?.toDays({ integral: false }),
      linkDays: props.linkLifetime?.toDays({ integral: false }),
    },
    {
      notFoundMinutes: 'notFoundAfter',
      pendingDays: 'pendingAtMost',
      retentionDays: 'retention',
      linkDays: 'linkLifetime',
    },
  );
}

/**
 * The stack's name, and where in the stack the bridge is, so that two bridges differ in it: names of stacks have
 * no dots.
 */
function nameOf(bridge: Construct): string {
  const stack = Stack.of(bridge);
  const path = bridge.node.scopes.slice(stack.node.scopes.length);
  return [stack.stackName, ...path.map(({ node }) => node.id.replace(/[^\w-]/g, '-'))].join('.');
}

/** The bridge's name. Throws for one that no log group, namespace of metrics or HTTP API (128 characters) could have. */
function checkedName(name: string): string {
  if (Token.isUnresolved(name) || /^[\w.-]{1,128}$/.test(name)) return name;
  throw new Error(
    'Wrong properties of the webhook bridge: `bridgeName` must be letters, digits, dots, hyphens and underscores, ' +
      `at most 128, and not ${name}.`,
  );
}

function domainOf({ domainName, certificate }: WebhookBridgeProps) {
  if (!domainName && !certificate) return undefined;
  if (!domainName || !certificate)
    throw new Error('`domainName` and `certificate` need each other: give both.');
  if (!Token.isUnresolved(domainName) && !/^[a-z\d]([a-z\d.-]*[a-z\d])?$/i.test(domainName))
    throw new Error(`\`domainName\` must be a host name such as bridge.example.com, and not ${domainName}.`);
  return { name: domainName, certificate };
}
