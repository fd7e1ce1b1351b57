import { expect, onTestFinished, test, vi } from 'vitest';
import { log, metrics } from '../../../lambdas/adapters/lambda/log.ts';
import { reportBrake } from '../../../lambdas/poll/report-pause.ts';

test.each([
  ['unauthorized', 'key'],
  ['no-key', 'key'],
  ['throttled', 'load'],
] as const)(
  'a brake for %s is counted under %s, by how long all is braked when it ends',
  (reason, dimension) => {
    const told = vi.spyOn(log, 'error').mockImplementation(() => {});
    const printed = vi.spyOn(metrics, 'singleMetric');
    onTestFinished(() => void vi.restoreAllMocks());
    const single = { addDimension: vi.fn(() => single), addMetric: vi.fn() };
    printed.mockReturnValue(single as never);
    const brake = { reason, strikes: 2, since: 10_000, until: 85_000 };
    reportBrake(brake);
    expect(single.addDimension).toHaveBeenCalledWith('reason', dimension);
    expect(single.addMetric).toHaveBeenCalledWith('UpstreamBraked', 'Seconds', 75);
    expect(told).toHaveBeenCalledWith('upstream braked', brake);
  },
);
