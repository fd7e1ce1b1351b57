import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { generateTraces, harsh } from '../../bench/polling/generate.ts';
import { type Result, replay } from '../../bench/polling/replay.ts';
import { bridge, every, growing, schedules } from '../../bench/polling/schedules.ts';
import type { Trace } from '../../bench/polling/trace.ts';

const run = promisify(execFile);
const job: Trace = {
  requestId: 'job',
  statuses: [
    ['requested', 0],
    ['accepted', 3],
    ['initializing', 8],
    ['processing', 12],
    ['complete', 95],
  ],
  progress: [],
};

describe('a replay', () => {
  it('polls at the registration and until the end is seen, and counts only transitions that a poll saw', () => {
    expect(replay([job], every(10))).toEqual({
      pollsPerJob: 11,
      completeP50: 5,
      completeP95: 5,
      completeMean: 5,
      failedP95: Number.NaN,
      transitionP50: 5,
      transitionP95: 8,
      unseenTransitions: 1 - 4 / 5,
      jobsWithUnseen: 1,
    });
  });

  it('counts the transitions that were over before a poll saw them', () => {
    const brief: Trace = {
      ...job,
      statuses: [
        ['requested', -5],
        ['accepted', 12],
        ['processing', 14],
        ['complete', 95],
      ],
    };
    const lasting: Trace = { ...job, statuses: [...brief.statuses.slice(0, 1), ['complete', 95]] };
    const { unseenTransitions, jobsWithUnseen } = replay([brief, lasting], every(10));
    expect(unseenTransitions).toBeCloseTo(1 / 6);
    expect(jobsWithUnseen).toBe(0.5);
  });

  it('measures from the registration what happened before it', () => {
    const late: Trace = {
      ...job,
      statuses: [
        ['processing', -500],
        ['failed', 4],
      ],
    };
    expect(replay([late], every(10))).toMatchObject({ pollsPerJob: 2, failedP95: 6, transitionP50: 6 });
  });

  it('refuses a schedule that stands still', () => {
    expect(() => replay([job], () => (_, at) => at)).toThrow('asked to poll job at 0, after 0');
  });
});

describe('the deployed scheduler', () => {
  it('adds what a poll takes, and rounds the delay up', () => {
    const next = bridge(undefined, { latency: 0.5 })(job);
    const exact = bridge()(job);
    const answer = { status: 'accepted', since: 0 };
    expect(exact(answer, 0) % 1).toBe(0);
    expect(next(answer, 0)).toBe(exact(answer, 0) + 0.5);
  });
});

describe('the schedule on generated jobs', () => {
  const product = (result: Result) => result.pollsPerJob * result.completeMean;

  it('keeps its promises on usual jobs', () => {
    const result = replay(generateTraces(1_000), bridge());
    expect(result.pollsPerJob).toBeLessThan(25);
    expect(result.completeP50).toBeLessThan(3);
    expect(result.completeP95).toBeLessThan(12);
    expect(result.transitionP50).toBeLessThan(4);
    expect(product(result)).toBeLessThan(90);
  });

  it('beats every other schedule by far, on harsh jobs too', () => {
    const traces = generateTraces(500, harsh, 2);
    const { bridge: ours, ...others } = schedules();
    const best = Math.min(...Object.values(others).map((other) => product(replay(traces, other))));
    expect(product(replay(traces, ours!))).toBeLessThan(best * 0.7);
  });

  it('is the same in every run', () => {
    const once = replay(generateTraces(200), bridge());
    expect(replay(generateTraces(200), bridge())).toEqual(once);
    expect(generateTraces(5, harsh, 3)).not.toEqual(generateTraces(5, harsh, 4));
  });

  it('gives up lateness for polls as their price rises', () => {
    const traces = generateTraces(300);
    const results = [0.2, 0.9, 4, 16].map((price) => replay(traces, bridge(price)));
    const polls = results.map((result) => result.pollsPerJob);
    const lateness = results.map((result) => result.completeMean);
    expect(polls).toEqual([...polls].sort((a, b) => b - a));
    expect(lateness).toEqual([...lateness].sort((a, b) => a - b));
  });

  it('cannot be beaten by a schedule that ignores the job: polls x lateness is half the duration or more', () => {
    const traces = generateTraces(300);
    const duration = traces.reduce((sum, { statuses }) => sum + statuses.at(-1)![1], 0) / traces.length;
    for (const blind of [every(10), every(60), growing(45)]) {
      expect(product(replay(traces, blind))).toBeGreaterThan(0.45 * duration);
    }
  });
});

describe('bench:polling', () => {
  it('prints one JSON document for a file of traces, and draws the curve', { timeout: 60_000 }, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'polling-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const file = join(directory, 'jobs.jsonl');
    const picture = join(directory, 'polling.svg');
    await writeFile(
      file,
      `${generateTraces(20)
        .map((trace) => JSON.stringify(trace))
        .join('\n')}\n`,
    );
    const args = ['bench/polling.ts', '--traces', file, '--json', '--svg', picture];
    const { stdout } = await run(process.execPath, args);
    const { schedules: table } = JSON.parse(stdout) as { schedules: Record<string, Result> };
    expect(Object.keys(table)).toEqual(Object.keys(schedules()));
    expect(Object.keys(table.bridge!).sort()).toEqual(
      [
        'pollsPerJob',
        'completeP50',
        'completeP95',
        'completeMean',
        'failedP95',
        'transitionP50',
        'transitionP95',
        'unseenTransitions',
        'jobsWithUnseen',
      ].sort(),
    );
    expect(await readFile(picture, 'utf8')).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
  });

  it('names the line of a file that is no trace', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'polling-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const file = join(directory, 'jobs.jsonl');
    await writeFile(file, `${JSON.stringify(job)}\n{"statuses":\n`);
    await expect(run(process.execPath, ['bench/polling.ts', '--traces', file])).rejects.toThrow(
      'jobs.jsonl:2 is not JSON',
    );
  });
});
