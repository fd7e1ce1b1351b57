import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Doctor } from '../../client/client.ts';
import { ADMIN_KEY, type LocalBridge, startLocalBridge } from '../support/local-bridge.ts';
import { type CommandLine, openCommandLine, valuesOf } from './command-line.ts';

type Check = Doctor['checks'][number];

const MAX_WAIT = { timeout: 60_000, interval: 500 };

let bridge: LocalBridge;
let cli: CommandLine;

beforeAll(async () => {
  bridge = await startLocalBridge();
  cli = await openCommandLine({ url: bridge.apiUrl, key: ADMIN_KEY });
});
afterAll(async () => {
  cli?.close();
  await bridge?.stop();
});

/** What the doctor says, by the names of its checks. */
async function doctor(...flags: string[]) {
  const { code, stdout, stderr } = await cli.run(['doctor', '--json', ...flags]);
  const found = valuesOf(stdout) as Check[];
  return { code, stderr, found: Object.fromEntries(found.map((check) => [check.name, check])) };
}

test('a broken deployment is told by each check, with what to do, and a mended one is well', {
  timeout: 120_000,
}, async () => {
  await bridge.setTopazFaults([{ at: 'status', kind: 'http', status: 401 }]);
  bridge.setFaults(({ operation }) =>
    operation === 'HeadBucket'
      ? { kind: 'error', status: 404, code: 'NotFound', message: 'gone' }
      : undefined,
  );
  const { DEAD_LETTERS_URL } = bridge.queueUrls;
  await bridge.sqs.send(new SendMessageCommand({ QueueUrl: DEAD_LETTERS_URL, MessageBody: 'x' }));

  const ill = await doctor();
  expect(ill).toMatchObject({ code: 1, stderr: expect.stringMatching(/^2 checks have failed at /) });
  expect(ill.found).toMatchObject({
    upstream: {
      state: 'failed',
      detail: expect.stringContaining('Topaz refuses the API key'),
      remedy: expect.stringContaining('TopazApiKeySecretArn'),
    },
    bucket: { state: 'failed', detail: 'The bucket of the videos is gone.', remedy: expect.any(String) },
    queues: { state: 'warning', detail: expect.stringContaining('and 1 dead letter.') },
    alarms: { state: 'ok', detail: expect.stringMatching(/^None of 1\d alarms is raised/) },
  });

  await bridge.setTopazFaults([]);
  bridge.setFaults(() => undefined);
  await bridge.purgeQueues();
  // Topaz is asked again after 10 s.
  const well = await vi.waitFor(async () => {
    const now = await doctor();
    expect(now.code).toBe(0);
    return now;
  }, MAX_WAIT);
  expect(Object.values(well.found).filter(({ state }) => state !== 'ok')).toEqual([]);
  expect(well.found.upstream?.detail).toMatch(/^Topaz answers in \d+ ms, and accepts the key\.$/);
});

test('what stands in the way of all checks is the last of them', async () => {
  const nowhere = await doctor('--url', 'http://127.0.0.1:9', '--key', 'k');
  expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringContaining('1 check has failed') });
  expect(nowhere.found).toMatchObject({
    address: { state: 'failed', detail: expect.stringContaining('cannot be reached') },
  });
  const stranger = await doctor('--url', bridge.apiUrl, '--key', 'wrong');
  expect(stranger).toMatchObject({ code: 4, stderr: expect.stringContaining('1 check has failed') });
  expect(Object.keys(stranger.found)).toEqual(['address', 'clock', 'key']);
  expect(stranger.found.key).toMatchObject({
    state: 'failed',
    detail: `${bridge.apiUrl} does not know the key.`,
    remedy: expect.stringContaining('topaz-bridge login'),
  });
});
