import { S3Client } from '@aws-sdk/client-s3';
import { AWS_CLIENT } from '../../adapters/lambda/aws-client.ts';
import { createBucketState } from '../doctor/bucket-state.ts';
import { createSignGet } from '../requests/sign-get.ts';

const client = new S3Client(AWS_CLIENT);

export const signGet = (now: () => number) => createSignGet(client, now);
export const bucketState = (bucket: string) => createBucketState(client, bucket);
