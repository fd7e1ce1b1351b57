import { S3Client } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { createSignGet } from '../../../../lambdas/api/requests/sign-get.ts';

test('a signed URL names the object, the moment it was signed and an end within 15 minutes', async () => {
  const now = Date.UTC(2026, 10, 23, 20);
  const client = new S3Client({
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKID', secretAccessKey: 'secret' },
  });
  const { url, expiresAt } = await createSignGet(client, () => now)({ bucket: 'videos', key: 'a b/ü.mp4' });
  const { hostname, pathname, searchParams } = new URL(url);
  expect([hostname, decodeURIComponent(pathname)]).toEqual([
    'videos.s3.us-east-1.amazonaws.com',
    '/a b/ü.mp4',
  ]);
  expect(searchParams.get('X-Amz-Date')).toBe('20261123T200000Z');
  expect(searchParams.get('X-Amz-Expires')).toBe('900');
  expect(expiresAt).toBe(now + 900_000);
});
