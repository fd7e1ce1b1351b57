import { expect, onTestFinished, test, vi } from 'vitest';
import { log } from '../../../lambdas/adapters/lambda/log.ts';
import { reportOverdue } from '../../../lambdas/tick/report-overdue.ts';
import type { LaneSweep } from '../../../lambdas/tick/sweep.ts';

type Written = {
  _aws: { CloudWatchMetrics: { Dimensions: string[][]; Metrics: { Name: string; Unit: string }[] }[] };
  [value: string]: unknown;
};

/** What a report writes: each metric with its unit, its sets of dimensions, its lane and its value. */
function metricsOf(lanes: readonly LaneSweep[]) {
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
  vi.spyOn(log, 'info').mockImplementation(() => {});
  const printed = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  onTestFinished(() => void vi.restoreAllMocks());
  reportOverdue(lanes);
  return printed.mock.calls.flatMap(([line]) => {
    const { _aws, lane, ...values } = JSON.parse(String(line)) as Written;
    return _aws.CloudWatchMetrics.flatMap(({ Dimensions, Metrics }) =>
      Metrics.map(({ Name, Unit }) => [Name, Unit, Dimensions, lane, values[Name]]),
    );
  });
}

const onTime = { overdue: 0, hinted: 0, workersBehind: false, oldestMs: 0 };

test('a lane that is behind is measured by itself, and its oldest row also among those of all lanes', () => {
  const lanes: LaneSweep[] = [
    { lane: 'poll', overdue: 3, hinted: 3, workersBehind: false, oldestMs: 61_000 },
    { lane: 'copy', ...onTime },
    { lane: 'deliver', overdue: 40, hinted: 0, workersBehind: true, oldestMs: 7_200_500 },
  ];
  const byLane = ['service', 'lane'];
  expect(metricsOf(lanes)).toEqual([
    ['OverdueRows', 'Count', [byLane], 'poll', 3],
    ['OldestOverdue', 'Seconds', [byLane, ['service']], 'poll', 61],
    ['OverdueRows', 'Count', [byLane], 'deliver', 40],
    ['OldestOverdue', 'Seconds', [byLane, ['service']], 'deliver', 7200.5],
  ]);
});

test('lanes that are on time write no metric', () => {
  expect(metricsOf([{ lane: 'poll', ...onTime }])).toEqual([]);
});
