import type { Node } from 'constructs';
import * as z from 'zod';
import { LEAST_POLLS, LIMITS, linksEndInTime } from './limits.ts';

const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const BUCKET_PLACE = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[^*?]*)?$/;
const KMS_KEY_ARN = /^arn:aws[\w-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/;

/** A list in `cdk.json`, or names with commas between them on the command line. */
const list = (item: z.ZodString) =>
  z.preprocess((value) => (typeof value === 'string' ? value.split(',') : value), z.array(item)).default([]);

/** The command line gives text where `cdk.json` has true and false. */
const yesOrNo = z.preprocess(
  (value) => (value === 'true' ? true : value === 'false' ? false : value),
  z.boolean('must be true or false'),
);

/** What can be set in `cdk.json`'s context or by `-c name=value`, with its default. */
export const SETTINGS = {
  ...LIMITS,
  /** Whether the account runs ten functions at a time, as new ones often do: each lane then has two workers. */
  smallAccount: yesOrNo.default(false),
  /** Name of the stack, which names the deployment in logs, metrics and the API. */
  stackName: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9-]{0,127}$/, 'must be letters, digits and hyphens, beginning with a letter')
    .default('TopazWebhookBridge'),
  /** An existing table, such as one that was restored from a backup; without it the stack makes one. */
  tableName: z
    .string()
    .regex(/^[\w.-]{3,255}$/, 'must be the name of a DynamoDB table, not its ARN')
    .optional(),
  /** An existing bucket for the videos, in the same region; without it the stack makes one. */
  bucketName: z.string().regex(BUCKET_NAME, 'must be the name of an S3 bucket').optional(),
  /** Where videos are from before `bucketName` or `keyTemplate` was changed: buckets, or `bucket/prefix`. */
  formerBuckets: list(
    z.string().regex(BUCKET_PLACE, 'must be names of S3 buckets, each with or without /prefix'),
  ),
  /** The address that alarms are sent to; without it they are on the dashboard only. */
  alarmEmail: z.email('must be an e-mail address').optional(),
  /** The event bus that `eventbridge` endpoints may name; without it there are none. */
  eventBusName: z
    .string()
    .regex(/^[\w./-]{1,256}$/, 'must be the name of an event bus, not its ARN')
    .optional(),
  /** Customer KMS key that encrypts the table and the video bucket; without it AWS's keys do. */
  customerKey: z.string().regex(KMS_KEY_ARN, 'must be the ARN of a KMS key').optional(),
  /** Customer keys from before `customerKey` was changed: what they encrypted stays readable. */
  formerKeys: list(z.string().regex(KMS_KEY_ARN, 'must be ARNs of KMS keys')),
  /** Whether X-Ray traces the functions. */
  tracing: yesOrNo.default(false),
  /** Least level of what Lambda itself logs of each invocation. */
  systemLogLevel: z.enum(['DEBUG', 'INFO', 'WARN'], 'must be DEBUG, INFO or WARN').default('WARN'),
};

/** What `smallAccount` sets, unless it is given: the least that Lambda allows for a queue. */
const SMALL_ACCOUNT = { maxCopies: 2, maxDispatches: 2, maxDeliveries: 2, maxWaits: 2 };

const schema = z
  .object(SETTINGS)
  .refine(linksEndInTime, {
    path: ['linkDays'],
    error:
      'must be at most `retentionDays`, since a link ends with the rows of its request: lower it, or raise `retentionDays`',
  })
  .refine(({ smallAccount, maxPollsPerSecond }) => !smallAccount || maxPollsPerSecond <= LEAST_POLLS, {
    path: ['maxPollsPerSecond'],
    error: `must be at most ${LEAST_POLLS} with \`smallAccount\`, whose two workers make no more: ask AWS for more concurrency first`,
  });

/** The settings of a deployment, checked and with their defaults. */
export type BridgeConfig = z.output<typeof schema>;

/**
 * Reads the settings from the context of the construct tree. An empty value counts as not set.
 * @throws Error that names every setting that is wrong, and why.
 */
export function readConfig(node: Pick<Node, 'tryGetContext'>): BridgeConfig {
  const given = Object.keys(SETTINGS)
    .map((name) => [name, node.tryGetContext(name)])
    .filter(([, value]) => value != null && value !== '');
  const context = Object.fromEntries(given) as Record<string, unknown>;
  const small = yesOrNo.safeParse(context.smallAccount).data === true;
  const config = schema.safeParse({ ...(small && SMALL_ACCOUNT), ...context });
  if (config.success) return config.data;
  const problems = config.error.issues.map(({ path, message }) => `\`${String(path[0])}\` ${message}`);
  throw new Error(
    `Wrong settings: ${problems.join('; ')}. Set them in cdk.json's context or by \`-c name=value\`.`,
  );
}
