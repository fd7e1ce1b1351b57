import { HeadBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Deployment } from './deployment-checks.ts';

/** Whether a bucket is there, and open to the caller. */
export function createBucketState(client: S3Client, Bucket: string): Deployment['bucket'] {
  return async () => {
    try {
      await client.send(new HeadBucketCommand({ Bucket }));
      return 'there';
    } catch (error) {
      // An answer to HEAD has no body that could say more than its status.
      const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
      const state = STATES.get($metadata?.httpStatusCode ?? 0);
      if (!state) throw error;
      return state;
    }
  };
}

const STATES: ReadonlyMap<number, Awaited<ReturnType<Deployment['bucket']>>> = new Map([
  [301, 'elsewhere'],
  [307, 'elsewhere'],
  [400, 'elsewhere'],
  [403, 'forbidden'],
  [404, 'missing'],
]);
