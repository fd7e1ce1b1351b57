import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { periodMs, startSchedule } from '../../../local/runtime/schedule.ts';

describe('periodMs', () => {
  it.each([
    ['rate(1 minute)', 60_000],
    ['rate(5 minutes)', 300_000],
    ['rate(2 hours)', 7_200_000],
    ['rate(1 day)', 86_400_000],
  ])('reads %s', (expression, ms) => expect(periodMs(expression)).toBe(ms));

  it.each(['cron(0 12 * * ? *)', 'rate(0 minutes)', 'rate(1 week)', 'at(2026-01-01T00:00:00)'])(
    'refuses %s',
    (expression) => expect(() => periodMs(expression)).toThrow(expression),
  );
});

describe('a schedule', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('runs at once and then once a period, though the last run goes on', async () => {
    let runs = 0;
    startSchedule(
      60_000,
      () => {
        runs++;
        return new Promise(() => {});
      },
      () => {},
    );
    expect(runs).toBe(1);
    await vi.advanceTimersByTimeAsync(59_999);
    expect(runs).toBe(1);
    await vi.advanceTimersByTimeAsync(60_001);
    expect(runs).toBe(3);
  });

  it('goes on after a run that failed, which it logs and does not repeat', async () => {
    const lines: string[] = [];
    let runs = 0;
    startSchedule(
      1000,
      () => Promise.reject(new Error(`run ${++runs}`)),
      (line) => lines.push(line),
    );
    await vi.advanceTimersByTimeAsync(1000);
    expect(lines).toEqual(['run 1', 'run 2']);
  });

  it('runs no more once it is stopped', async () => {
    let runs = 0;
    const stop = startSchedule(
      1000,
      async () => runs++,
      () => {},
    );
    stop();
    await vi.advanceTimersByTimeAsync(5000);
    expect(runs).toBe(1);
  });
});
