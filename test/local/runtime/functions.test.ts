import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConcurrencyLimit } from '../../../local/runtime/concurrency-limit.ts';
import {
  type FunctionSettings,
  type LambdaService,
  LocalFunction,
  MAX_PAYLOAD_BYTES,
} from '../../../local/runtime/functions.ts';
import { passesOf } from '../../../local/runtime/trace-lineage.ts';

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

  it('reports the end of its process and starts again', async () => {
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

  it('stands still between invocations, and goes on with the next', async () => {
    const fn = functionOf(
      '() => { const before = beats; beats = 0; return before; }',
      {},
      'let beats = 0; setInterval(() => beats++, 5);',
      { freezes: true },
    );
    await fn.invoke({});
    const [pid] = fn.pids;
    await vi.waitFor(() => expect(stateOf(pid!)).toBe('T'), 10_000);
    const before = Date.now();
    await vi.waitFor(() => expect(Date.now() - before).toBeGreaterThan(300), 10_000);
    // Some timers may fire when it goes on; 60 would have, had it not stood still.
    expect(await fn.invoke({})).toBeLessThan(30);
  });

  it('has a clock of its own, which does not change how much time it has left', async () => {
    const fn = functionOf(
      '(event, context) => [Date.now(), new Date().getTime(), new Date(5).getTime(), context.getRemainingTimeInMillis()]',
      {},
      '',
      { clockOffset: () => -3_600_000 },
    );
    const [now, dated, given, left] = (await fn.invoke({})) as number[];
    expect(Date.now() - now!).toBeGreaterThan(3_500_000);
    expect(Date.now() - dated!).toBeGreaterThan(3_500_000);
    expect(given).toBe(5);
    expect(left).toBeLessThanOrEqual(5000);
    expect(left).toBeGreaterThan(0);
  });

  it('takes no event, and gives no result, of more than 6 MB', async () => {
    const fn = functionOf("({ bytes }) => 'x'.repeat(bytes)");
    const most = MAX_PAYLOAD_BYTES - 2; // its quotes
    expect(await fn.invoke({ bytes: most })).toHaveLength(most);
    await expect(fn.invoke({ bytes: most + 1 })).rejects.toMatchObject({ kind: 'payload' });
    await expect(fn.invoke('x'.repeat(most + 1))).rejects.toMatchObject({ kind: 'payload' });
    expect(await fn.invoke({ bytes: 1 })).toBe('x');
  });

  it('is throttled when the account runs as many invocations as it may', async () => {
    const concurrency = new ConcurrencyLimit(1);
    const [busy, other] = [1, 2].map(() =>
      functionOf('() => new Promise((resolve) => setTimeout(resolve, 100))', {}, '', { concurrency }),
    );
    const running = busy!.invoke({});
    await expect(other!.invoke({})).rejects.toMatchObject({ kind: 'throttled' });
    await running;
    await other!.invoke({});
  });

  it('passes its trace header on, and is not invoked a 17th time in one chain', async () => {
    const trace = '() => process.env._X_AMZN_TRACE_ID';
    const [strict, allowing] = [false, true].map((allowsRecursion) => functionOf(trace, { allowsRecursion }));
    for (const [fn, times] of [
      [strict!, 16],
      [allowing!, 30],
    ] as const) {
      let header: string | undefined;
      for (let pass = 1; pass <= times; pass++) {
        header = (await fn.invoke({}, [header])) as string;
        expect(passesOf('arn:fn', [header])).toBe(pass);
      }
      if (fn === strict) await expect(fn.invoke({}, [header])).rejects.toMatchObject({ kind: 'recursion' });
    }
  });

  it('trusts the certificates that its parent was told to trust', async () => {
    const file = fileURLToPath(new URL('../../lambdas/adapters/http/test-only-cert.pem', import.meta.url));
    vi.stubEnv('NODE_EXTRA_CA_CERTS', file);
    const fn = functionOf('() => process.env.NODE_EXTRA_CA_CERTS');
    expect(await fn.invoke({})).toBe(file);
    vi.unstubAllEnvs();
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

/** The state of a process as Linux gives it: T when it is stopped. */
function stateOf(pid: number): string | undefined {
  return / ([A-Z]) /.exec(readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\)/s, ''))?.[1];
}

/** A function whose handler has this source. */
function functionOf(
  handler: string,
  settings: Partial<FunctionSettings> = {},
  prelude = '',
  service: LambdaService = {},
): LocalFunction {
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
    service,
  );
  started.push(fn);
  return fn;
}
