import { type Resource, synthesize, target } from '../lib/synthesize.ts';

const STAGES = ['api', 'tick', 'poll', 'copy', 'dispatch', 'deliver'];
/** A permission of a function, and not of a person or of the harness. */
export const STAGE = new RegExp(`^(${STAGES.join('|')}) `);
/** Permissions that are used, though no scenario shows it. */
export const UNSEEN = [
  // Without it a HeadObject of what is not there answers 403, and the copy takes that for a wrong policy.
  'copy s3:ListBucket bucket',
  // Only after a death between the end of an upload and its commit: test/lambdas/copy/cancel.test.ts.
  'copy s3:DeleteObject objects',
  // For what is parked in that lane, when a person releases it: test/lambdas/api/parked.
  'api sqs:SendMessage queue deliver-slow',
  // For a delivery that leaves a backlog while its place there is read: test/lambdas/deliver/release-backlog.test.ts.
  'deliver dynamodb:ConditionCheckItem table',
];
/** What Lambda, and not our code, does in a function's name. */
const OF_LAMBDA = /^logs:|^xray:|^sqs:(ReceiveMessage|DeleteMessage)$/;

/** What the template allows each function, in the words of `test/chaos/permission-log.ts`. */
export function allowed(): string[] {
  const { resources, fn, environment, statements } = synthesize();
  const queues = Object.entries(environment('tick')).filter(([name]) => name.endsWith('_QUEUE_URL'));
  const lanes = new Map(
    queues.map(([name, url]) => [
      target(url),
      name.replace('_QUEUE_URL', '').toLowerCase().replace('_', '-'),
    ]),
  );
  const secrets = new Map(
    STAGES.flatMap((stage) => Object.entries(environment(stage)))
      .filter(([name]) => name.endsWith('_ARN'))
      .map(([name, arn]) => [target(arn), name.replace('_ARN', '')]),
  );
  return STAGES.flatMap((stage) => permissionsOf(stage)).filter((each) => !UNSEEN.includes(each));

  function permissionsOf(stage: string): string[] {
    const role = target(fn(stage)[1].Properties.Role);
    return statements(role).flatMap(({ Action, Resource }) =>
      [Action]
        .flat()
        .filter((action) => !OF_LAMBDA.test(action) && !isMapping(stage, action))
        .flatMap((action) => [Resource].flat().map((each) => `${stage} ${action} ${kindOf(each)}`)),
    );
  }

  /** A worker's queue is watched by its mapping; only the tick and the doctor ask how full queues are. */
  function isMapping(stage: string, action: string): boolean {
    return action === 'sqs:GetQueueAttributes' && stage !== 'tick' && stage !== 'api';
  }

  function kindOf(resource: unknown): string {
    if (typeof resource === 'string') return resource;
    const written = JSON.stringify(resource);
    const [logicalId = '', { Type } = {} as Resource] =
      Object.entries(resources).find(([id]) => written.includes(`"${id}"`)) ?? [];
    if (Type === 'AWS::DynamoDB::GlobalTable')
      return /\/index\/(\w+)/.test(written) ? `index ${/\/index\/(\w+)/.exec(written)?.[1]}` : 'table';
    if (Type === 'AWS::S3::Bucket') return written.includes('"/') ? 'objects' : 'bucket';
    if (Type === 'AWS::SQS::Queue')
      return lanes.has(logicalId) ? `queue ${lanes.get(logicalId)}` : 'dead letters';
    if (Type === 'AWS::SecretsManager::Secret') return `secret ${secrets.get(logicalId)}`;
    return written;
  }
}
