import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, expect, it, vi } from 'vitest';
import { isAlive } from '../../../local/processes/is-alive.ts';
import { superviseProgram } from '../../../local/processes/supervisor.ts';

// A program that never ends and ignores every signal that can be ignored.
const stubborn = `
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => {});
  console.log(process.pid);
  setInterval(() => {}, 1000);
`;

describe('a supervised program', () => {
  it('ends when its parent is killed', async () => {
    const supervisor = new URL('../../../local/processes/supervisor.ts', import.meta.url);
    const parent = spawn(process.execPath, [
      '--input-type=module',
      '-e',
      `
      import { superviseProgram } from ${JSON.stringify(supervisor)};
      superviseProgram(process.execPath, ['-e', ${JSON.stringify(stubborn)}], { onLine: console.log });
    `,
    ]);
    const [pid] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
    expect(isAlive(Number(pid))).toBe(true);

    parent.kill('SIGKILL');

    await vi.waitFor(() => expect(isAlive(Number(pid))).toBe(false), 10_000);
  });

  it('has ended when stop returns', async () => {
    const lines: string[] = [];
    const child = superviseProgram(process.execPath, ['-e', stubborn], {
      onLine: (line) => lines.push(line),
    });
    await vi.waitFor(() => expect(lines).toHaveLength(1), 10_000);

    await child.stop();

    expect(isAlive(Number(lines[0]))).toBe(false);
  });

  it('reports that it has ended', async () => {
    const lines: string[] = [];
    const child = superviseProgram(process.execPath, ['-e', 'console.error("bye"); process.exit(7)'], {
      onLine: (line) => lines.push(line),
    });
    await child.ended;
    expect(lines).toEqual(['bye']);
    expect(child.process.exitCode).toBe(7);
  });

  it('says so when it cannot be started', async () => {
    const lines: string[] = [];
    const child = superviseProgram('/no/such/program', [], { onLine: (line) => lines.push(line) });
    await child.ended;
    expect(lines.join()).toContain('/no/such/program');
    await child.stop();
  });
});
