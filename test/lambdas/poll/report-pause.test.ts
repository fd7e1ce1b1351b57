import { expect, onTestFinished, test, vi } from 'vitest';
import { log } from '../../../lambdas/adapters/lambda/log.ts';
import { reportPause } from '../../../lambdas/poll/report-pause.ts';

test.each([
  ['unauthorized', 'key'],
  ['no-key', 'key'],
  ['throttled', 'load'],
] as const)(
  'a pause for %s is counted under %s, by how long all is paused when it ends',
  (reason, dimension) => {
    vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
    const told = vi.spyOn(log, 'error').mockImplementation(() => {});
    const printed = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    onTestFinished(() => void vi.restoreAllMocks());
    const pause = { reason, strikes: 2, since: 10_000, until: 85_000 };
    reportPause(pause);
    expect(JSON.parse(String(printed.mock.calls[0]?.[0]))).toMatchObject({
      _aws: {
        CloudWatchMetrics: [
          {
            Namespace: 'WebhookBridge',
            Dimensions: [['service', 'reason']],
            Metrics: [{ Name: 'UpstreamPaused', Unit: 'Seconds' }],
          },
        ],
      },
      reason: dimension,
      UpstreamPaused: 75,
    });
    expect(told).toHaveBeenCalledWith('upstream paused', pause);
  },
);
