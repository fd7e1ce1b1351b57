import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient, GetItemCommand, ThrottlingException } from '@aws-sdk/client-dynamodb';
import { expect, onTestFinished, test, vi } from 'vitest';
import { AWS_CLIENT, WORKER_DYNAMODB_CLIENT } from '../../../../lambdas/adapters/lambda/aws-client.ts';

/** A worker's client before a DynamoDB that refuses the first calls; no waiting between them. */
async function clientBefore(refusals: number) {
  let calls = 0;
  const server = createServer((request, response) => {
    request.resume();
    const refused = ++calls <= refusals;
    response
      .writeHead(refused ? 400 : 200, { 'content-type': 'application/x-amz-json-1.0' })
      .end(refused ? '{"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException"}' : '{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new DynamoDBClient({
    ...WORKER_DYNAMODB_CLIENT,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const chance = vi.spyOn(Math, 'random').mockReturnValue(0);
  onTestFinished(() => {
    chance.mockRestore();
    client.destroy();
    server.closeAllConnections();
    server.close();
  });
  const get = () => client.send(new GetItemCommand({ TableName: 'T', Key: { pk: { S: 'A' } } }));
  return { get, calls: () => calls };
}

test("a worker's call comes through after seven refusals for throttling", async () => {
  const { get, calls } = await clientBefore(7);
  await get();
  expect(calls()).toBe(8);
});

test('an eighth refusal is an error, so that its work is tried again later', async () => {
  const { get, calls } = await clientBefore(8);
  await expect(get()).rejects.toThrow(ThrottlingException);
  expect(calls()).toBe(8);
});

test.each([
  ['a client', AWS_CLIENT],
  ["a worker's client", WORKER_DYNAMODB_CLIENT],
])('%s copies no call and no answer for a log that is never written', (_, { logger }) => {
  expect(Object.keys(logger)).not.toContain('info');
  expect(Object.keys(logger)).not.toContain('error');
});

test('a client gets its credentials from the environment, as in Lambda', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'lambda');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  onTestFinished(() => void vi.unstubAllEnvs());
  const client = new DynamoDBClient({ ...AWS_CLIENT, region: 'us-east-1' });
  onTestFinished(() => client.destroy());
  expect(await client.config.credentials()).toMatchObject({ accessKeyId: 'lambda' });
});
