import { expect, test } from 'vitest';
import type { MetricHistory } from '../../../../lambdas/api/stats/metric-history.ts';
import { useDatabase } from '../../../support/dynamodb.ts';
import { createClient } from '../call-api.ts';

const database = useDatabase();
const startAt = Date.parse('2026-11-23T20:07:30Z');

function setUp() {
  const calls: Parameters<MetricHistory>[] = [];
  const metricHistory: MetricHistory = async (...call) => {
    calls.push(call);
    const [, from, , period] = call;
    return new Map([
      ['Polls', [{ at: from + period, value: 3 }]],
      ['DeliveriesFailed', [{ at: from, value: 1 }]],
      ['VideosMissing', [{ at: from, value: 2 }]],
    ]);
  };
  return { ...createClient(database(), { startAt, metricHistory }), calls };
}

test.each([
  ['1h', 60, 60],
  ['24h', 900, 96],
  ['7d', 3_600, 168],
])(
  'the history of %s has a value for each period, zero where nothing was counted',
  async (range, seconds, count) => {
    const { call } = setUp();
    const { status, body } = await call('GET', `/v1/stats/history?range=${range}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ range, periodSeconds: seconds });
    const values = (name: string) => body.series[name].map(({ value }: { value: number }) => value);
    const zeros = Array.from({ length: count }, () => 0);
    expect(values('polls')).toEqual([0, 3, ...zeros.slice(2)]);
    expect(values('failures')).toEqual([3, ...zeros.slice(1)]);
    expect(values('deliveries')).toEqual(zeros);
    const last = Date.parse(body.series.polls.at(-1).at);
    expect(last).toBeLessThanOrEqual(startAt);
    expect(last + seconds * 1000).toBeGreaterThan(startAt);
  },
);

test('CloudWatch is asked once a minute at most', async () => {
  const { call, calls, clock } = setUp();
  for (let i = 0; i < 3; i++) await call('GET', '/v1/stats/history');
  expect(calls).toHaveLength(1);
  clock.now += 60_000;
  await call('GET', '/v1/stats/history?range=1h');
  expect(calls).toHaveLength(2);
});

test('an unknown range is refused by name', async () => {
  const { call } = setUp();
  const { status, body } = await call('GET', '/v1/stats/history?range=2h');
  expect(status).toBe(400);
  expect(body.errors).toMatchObject([{ path: 'range' }]);
});
