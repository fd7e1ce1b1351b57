import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type FunctionSettings, LocalFunction } from '../../../local/runtime/functions.ts';

let directory: string;
let started: LocalFunction[] = [];
let lines: string[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'functions-'));
});
afterEach(async () => {
  await Promise.all(started.map((each) => each.stop()));
  started = [];
  lines = [];
  rmSync(directory, { recursive: true });
});

describe('a function', () => {
  it('gets its event and context, and gives its result', async () => {
    const fn = functionOf(`(event, context) => ({
      event,
      name: context.functionName,
      memory: context.memoryLimitInMB,
      arn: context.invokedFunctionArn,
      inTime: context.getRemainingTimeInMillis() > 0 && context.getRemainingTimeInMillis() <= 5000,
      id: typeof context.awsRequestId,
    })`);
    expect(await fn.invoke({ a: [1] })).toEqual({
      event: { a: [1] },
      name: 'fn',
      memory: '128',
      arn: 'arn:fn',
      inTime: true,
      id: 'string',
    });
  });

  it('sees the environment of its settings and not that of the runtime', async () => {
    vi.stubEnv('OF_THE_RUNTIME', 'yes');
    const fn = functionOf('() => [process.env.A, process.env.OF_THE_RUNTIME ?? null]', {
      environment: { A: 'b' },
    });
    expect(await fn.invoke({})).toEqual(['b', null]);
    vi.unstubAllEnvs();
  });

  it('stays warm from one invocation to the next', async () => {
    const fn = functionOf('() => [process.pid, count++]', {}, 'let count = 0;');
    const first = await fn.invoke({});
    expect(await fn.invoke({})).toEqual([(first as number[])[0], 1]);
  });

  it('runs one invocation a process, as many as there may be processes, and lets the others wait', async () => {
    const fn = functionOf(
      `async () => {
        running++;
        await new Promise((resolve) => setTimeout(resolve, 50));
        return [process.pid, running--];
      }`,
      { maxProcesses: 2 },
      'let running = 0;',
    );
    const results = (await Promise.all(Array.from({ length: 6 }, () => fn.invoke({})))) as number[][];
    expect(new Set(results.map(([pid]) => pid)).size).toBe(2);
    expect(results.map(([, running]) => running)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it('reports what it throws and lives on', async () => {
    const fn = functionOf(
      `(event) => { if (event.bad) throw new RangeError('too far'); return process.pid; }`,
    );
    const pid = await fn.invoke({});
    await expect(fn.invoke({ bad: true })).rejects.toMatchObject({
      kind: 'thrown',
      message: 'fn failed: RangeError: too far',
    });
    expect(await fn.invoke({})).toBe(pid);
  });

  it.each([
    ['waits', 'new Promise(() => {})'],
    ['never yields', '(() => { for (;;); })()'],
  ])('is killed at its time-out when it %s', async (_, work) => {
    const fn = functionOf(`(event) => event.hang ? ${work} : process.pid`, { timeoutMs: 1000 });
    const pid = (await fn.invoke({})) as number;
    await expect(fn.invoke({ hang: true })).rejects.toMatchObject({
      kind: 'timeout',
      message: 'fn: the task timed out after 1 seconds.',
    });
    await vi.waitFor(() => expect(fn.pids).toEqual([]), 10_000);
    expect(await fn.invoke({})).not.toBe(pid);
  });

  it('reports the end of its process and starts anew', async () => {
    const fn = functionOf('(event) => event.end ? process.exit(3) : process.pid');
    const pid = await fn.invoke({});
    await expect(fn.invoke({ end: true })).rejects.toMatchObject({
      kind: 'crash',
      message: expect.stringContaining('exit status 3'),
    });
    expect(await fn.invoke({})).not.toBe(pid);
  });

  it.each([
    [
      'that throws while it is loaded',
      'index.handler',
      "throw new Error('no TABLE_NAME')",
      'Error: no TABLE_NAME',
    ],
    ['without the module of its handler', 'other.handler', '', 'no module for the handler other.handler'],
    ['without the export of its handler', 'index.other', '', 'does not export a function other'],
  ])('%s says so', async (_, handler, prelude, message) => {
    const fn = functionOf('() => 1', { handler }, prelude);
    await expect(fn.invoke({})).rejects.toMatchObject({
      kind: 'init',
      message: expect.stringContaining(message),
    });
  });

  it('has the memory of its settings', async () => {
    const fn = functionOf(
      '() => { const hoard = []; for (;;) hoard.push(new Array(100_000).fill(Math.random())); }',
      { memoryMb: 64, timeoutMs: 60_000 },
    );
    await expect(fn.invoke({})).rejects.toMatchObject({ kind: 'crash' });
    expect(lines.join('\n')).toContain('heap out of memory');
  });

  it('passes on what it prints, line by line', async () => {
    const fn = functionOf("() => { console.log('one\\ntwo'); console.error('three'); }");
    await fn.invoke({});
    await vi.waitFor(() => expect(lines.toSorted()).toEqual(['one', 'three', 'two']), 10_000);
  });

  it('leaves no process after stop, not even one at work', async () => {
    const fn = functionOf('() => { for (;;); }', { timeoutMs: 60_000 });
    const invocation = expect(fn.invoke({})).rejects.toMatchObject({ kind: 'stopped' });
    await vi.waitFor(() => expect(fn.pids).toHaveLength(1), 10_000);
    const [pid] = fn.pids;
    await fn.stop();
    expect(() => process.kill(pid!, 0)).toThrow('ESRCH');
    await invocation;
  });
});

/** A function whose handler has this source. */
function functionOf(handler: string, settings: Partial<FunctionSettings> = {}, prelude = ''): LocalFunction {
  writeFileSync(join(directory, 'index.mjs'), `${prelude}\nexport const handler = ${handler};`);
  const fn = new LocalFunction(
    {
      name: 'fn',
      arn: 'arn:fn',
      directory,
      handler: 'index.handler',
      timeoutMs: 5000,
      memoryMb: 128,
      environment: {},
      maxProcesses: 1,
      ...settings,
    },
    (line) => lines.push(line),
  );
  started.push(fn);
  return fn;
}
