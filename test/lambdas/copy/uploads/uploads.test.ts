import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';
import { afterEach, expect, test } from 'vitest';
import { createUploads, UPLOADS_CLIENT } from '../../../../lambdas/copy/uploads/uploads.ts';

let server: http.Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

test('a bucket that never answers is given up after a silence', async () => {
  server = http.createServer(() => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new S3Client({
    ...UPLOADS_CLIENT,
    requestHandler: { ...UPLOADS_CLIENT.requestHandler, socketTimeout: 100 },
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  });
  expect(UPLOADS_CLIENT.requestHandler.socketTimeout).toBeGreaterThan(0);
  const place = { bucket: 'b', key: 'k', uploadId: 'u' };
  await expect(createUploads(client).parts(place, 1, 1)).rejects.toMatchObject({ kind: 'unavailable' });
  client.destroy();
});
