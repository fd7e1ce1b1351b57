import type { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { IEventBus } from 'aws-cdk-lib/aws-events';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { VideoPlace } from './video-bucket.ts';

/** What can be set of a bridge; nothing has to be. */
export type WebhookBridgeProps = {
  /**
   * Names this bridge in logs, metrics, the dashboard and the API: at most 128 letters, digits, dots, hyphens and underscores.
   * Must be unique in its account and region.
   *
   * @default - the name of the stack and the path of the construct in it, joined by dots
   */
  readonly bridgeName?: string;

  /**
   * The secret whose text is your Topaz API key.
   *
   * @default - a new secret with a placeholder; polling waits, with an alarm, until you put your key in its place
   */
  readonly topazApiKey?: ISecret;

  /**
   * Where the Topaz API is.
   *
   * @default 'https://api.topazlabs.com'
   */
  readonly topazBaseUrl?: string;

  /**
   * About how many status requests the whole bridge makes in a second. A burst is spread; none is dropped.
   *
   * @default 10
   */
  readonly maxPollsPerSecond?: number;

  /**
   * How long Topaz must answer 404 before a request counts as lost: 1 minute to 1 day.
   *
   * @default Duration.minutes(10)
   */
  readonly notFoundAfter?: Duration;

  /**
   * How long a request may stay pending before it counts as lost: 1 to 12 days.
   *
   * @default Duration.days(8)
   */
  readonly pendingAtMost?: Duration;

  /**
   * The bucket for the videos, in the bridge's region. The bridge reaches only keys that begin as `keyTemplate` does.
   * Give it a lifecycle rule that aborts incomplete uploads after 7 days.
   *
   * @default - a new private bucket
   */
  readonly bucket?: IBucket;

  /**
   * The object key of a stored video. `{requestId}` must be in it; `{filename}`, `{ext}` and `{date}` may be.
   *
   * @default 'videos/{requestId}/{filename}'
   */
  readonly keyTemplate?: string;

  /**
   * Where videos are from before `bucket` or `keyTemplate` was changed: without it their links fail.
   *
   * @default - nowhere else
   */
  readonly formerVideos?: readonly VideoPlace[];

  /**
   * The KMS key that encrypts the table and a new bucket, in the bridge's region.
   *
   * @default - keys that AWS manages
   */
  readonly encryptionKey?: IKey;

  /**
   * The keys from before `encryptionKey` was changed: what they encrypted stays readable.
   *
   * @default - none
   */
  readonly formerEncryptionKeys?: readonly IKey[];

  /**
   * An existing table, such as one that was restored from a backup.
   *
   * @default - a new table with point-in-time recovery
   */
  readonly table?: ITableV2;

  /**
   * What happens to the bridge's own table and bucket when they leave the stack. With `DESTROY` CloudFormation
   * deletes the table with all rows, and the bucket if it is empty.
   *
   * @default - both are kept; the bucket of a first deployment that failed is deleted
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * For how long the rows of ended requests, their events and deliveries are kept: 1 to 3,650 days. Videos are never
   * deleted.
   *
   * @default Duration.days(30)
   */
  readonly retention?: Duration;

  /**
   * For how long the video links in webhooks work: at most `retention`.
   *
   * @default Duration.days(7)
   */
  readonly linkLifetime?: Duration;

  /**
   * The event bus that endpoints of the kind `eventbridge` may name.
   *
   * @default - none: such endpoints are refused
   */
  readonly eventBus?: IEventBus;

  /**
   * Where alarms go. The topic must let `cloudwatch.amazonaws.com` publish.
   *
   * @default - a new topic, {@link WebhookBridge.alarmTopic}, without subscribers
   */
  readonly alarmTopic?: ITopic;

  /**
   * The VPC of the functions that call foreign servers: `copy` and `deliver`. They must reach Topaz's storage, your
   * receivers, DynamoDB, SQS, S3 and, if used, EventBridge.
   *
   * @default - Lambda's own network
   */
  readonly vpc?: IVpc;

  /**
   * The subnets of `vpc`.
   *
   * @default - the VPC's default: private subnets with a way out, if it has any
   */
  readonly vpcSubnets?: SubnetSelection;

  /**
   * What the functions in `vpc` may connect to.
   *
   * @default - a new group for each function that allows all outgoing connections
   */
  readonly securityGroups?: readonly ISecurityGroup[];

  /**
   * A host name for the API; also give `certificate`, and point the name to {@link WebhookBridge.domainName}.
   *
   * @default - the host name that API Gateway generates
   */
  readonly domainName?: string;

  /**
   * The certificate of `domainName`, in the bridge's region.
   *
   * @default - none
   */
  readonly certificate?: ICertificate;

  /**
   * For how long CloudWatch keeps the logs.
   *
   * @default RetentionDays.ONE_MONTH
   */
  readonly logRetention?: RetentionDays;

  /**
   * Copy workers at a time, 2 to 1,000. Each may work for 15 minutes, so that fewer fit into a small account.
   *
   * @default 4
   */
  readonly maxCopies?: number;

  /**
   * Workers at a time that fan events out to endpoints, 2 to 1,000.
   *
   * @default 10
   */
  readonly maxDispatches?: number;

  /**
   * Workers at a time that send webhooks, in each of the two lanes, 2 to 1,000.
   *
   * @default 50
   */
  readonly maxDeliveries?: number;

  /**
   * Calls that may wait for messages of pull endpoints at a time, 1 to 100. Each occupies one execution for up to 20 s.
   *
   * @default 5
   */
  readonly maxWaits?: number;

  /**
   * Whether X-Ray traces the functions. It records the first invocation of each second and 5 % of the rest, at $5 a
   * million traces: up to one poll a second that is more than half of what the poll itself costs.
   *
   * @default false
   */
  readonly tracing?: boolean;

  /**
   * The least level of what Lambda itself logs of each invocation: `DEBUG`, `INFO` or `WARN`.
   *
   * @default 'WARN'
   */
  readonly systemLogLevel?: 'DEBUG' | 'INFO' | 'WARN';
};
