/**
 * List prices in us-east-1, in dollars, without free tiers, as known in November 2026. Look them up before you budget:
 * this file was made without AWS's price list. Step Functions and Fargate were compared with copies of the pages below
 * and of what others write about them.
 */
export const PRICES = {
  /** https://aws.amazon.com/dynamodb/pricing/on-demand/ */
  writeUnit: 0.625e-6,
  readUnit: 0.125e-6,
  /** https://aws.amazon.com/sqs/pricing/ */
  sqsCall: 0.4e-6,
  /** https://aws.amazon.com/lambda/pricing/, arm64; durable operations with 1 KB written by each */
  lambdaCall: 0.2e-6,
  lambdaGbSecond: 13.3334e-6,
  durableOperation: 8e-6,
  durableGbWritten: 0.25,
  /** https://aws.amazon.com/cloudwatch/pricing/ */
  logGb: 0.5,
  alarmMetric: 0.1,
  metric: 0.3,
  /** https://aws.amazon.com/api-gateway/pricing/, HTTP API */
  apiCall: 1e-6,
  /** https://aws.amazon.com/secrets-manager/pricing/ */
  secret: 0.4,
  secretCall: 5e-6,
  /** https://aws.amazon.com/kms/pricing/ */
  keyCall: 3e-6,
  /** https://aws.amazon.com/s3/pricing/; the first is that of POST and LIST, too */
  s3Put: 5e-6,
  s3Get: 0.4e-6,
  s3GbMonth: 0.023,
  /** https://aws.amazon.com/eventbridge/pricing/, Scheduler */
  scheduled: 1e-6,
  /** https://aws.amazon.com/step-functions/pricing/, standard workflows */
  stateTransition: 25e-6,
  /** https://aws.amazon.com/fargate/pricing/, Linux on ARM */
  fargateVcpuHour: 0.03238,
  fargateGbHour: 0.00356,
  /** https://aws.amazon.com/rds/postgresql/pricing/, db.t4g.micro and 20 GB of gp3 */
  databaseHour: 0.016,
  databaseGbMonth: 0.115,
} as const;

/**
 * What every account gets free each month for as long as it exists, by the prices above; all that runs in the account
 * shares it. As others write of it in 2026; not compared with AWS's own pages.
 */
export const FREE_A_MONTH: Partial<Record<keyof typeof PRICES, number>> = {
  sqsCall: 1e6,
  lambdaCall: 1e6,
  lambdaGbSecond: 400_000,
  logGb: 5,
  alarmMetric: 10,
  metric: 10,
  keyCall: 20_000,
  scheduled: 14e6,
};
