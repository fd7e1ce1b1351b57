import { counted, type Finding } from './check.ts';

/** Messages as SQS counts them: those that wait in the queue of each lane, and those of all that failed ten times. */
export type QueueMessages = { readonly waiting: readonly number[]; readonly dead: number };
/** What an alarm means, and the section of the runbook about it. */
export type Alarm = { readonly meaning: string; readonly section: string; readonly isRaised: boolean };

/** What AWS says of the deployment. Each call rejects when AWS refuses. */
export type Deployment = {
  readonly messages: () => Promise<QueueMessages>;
  readonly bucket: () => Promise<'there' | 'missing' | 'forbidden' | 'elsewhere'>;
  readonly alarms: () => Promise<readonly Alarm[]>;
};

/** Checks of what is around the bridge's functions. */
export function deploymentChecks({ messages, bucket, alarms }: Deployment) {
  async function bucketCheck(): Promise<Finding> {
    const found = await bucket();
    if (found === 'there') return { state: 'ok', detail: 'The bucket of the videos answers.' };
    return { state: 'failed', ...BUCKET_PROBLEMS[found] };
  }

  async function queuesCheck(): Promise<Finding> {
    const { waiting, dead } = await messages();
    const sum = waiting.reduce((total, each) => total + each, 0);
    const answering = `${waiting.length} queues answer, with ${counted(sum, 'message')} waiting and`;
    if (dead === 0) return { state: 'ok', detail: `${answering} no dead letters.` };
    return {
      state: 'warning',
      detail: `${answering} ${counted(dead, 'dead letter')}.`,
      remedy:
        "Each dead letter names its lane; the log of that lane's function says why: docs/runbook.md#deadletters",
    };
  }

  async function alarmsCheck(): Promise<Finding> {
    const all = await alarms();
    const raised = all.filter(({ isRaised }) => isRaised);
    if (all.length === 0)
      return {
        state: 'warning',
        detail: 'CloudWatch has no alarm of this deployment.',
        remedy: 'Deploy the stack again.',
      };
    if (raised.length === 0)
      return { state: 'ok', detail: `None of ${counted(all.length, 'alarm')} is raised.` };
    return {
      state: 'failed',
      detail: `Raised alarms: ${raised.length} of ${all.length}. ${raised.map(({ meaning }) => meaning).join(' ')}`,
      remedy: `See ${[...new Set(raised.map(({ section }) => section))].join(', ')}`,
    };
  }

  return {
    bucket: bucketCheck,
    queues: queuesCheck,
    alarms: alarmsCheck,
  };
}

const BUCKET_PROBLEMS = {
  missing: {
    detail: 'The bucket of the videos is gone.',
    remedy: 'Create it again with the same name, or deploy with another bucket. Copies wait until then.',
  },
  forbidden: {
    detail: 'S3 refuses access to the bucket of the videos.',
    remedy: "Let the bucket's policy and its KMS key admit the functions api and copy.",
  },
  elsewhere: {
    detail: 'The bucket of the videos is in another region.',
    remedy: 'Deploy with a bucket in the region of the stack.',
  },
} as const;
