import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Log, type LogLine } from '../../local/log.ts';

it('a line that comes while the log is being closed reaches the listener, and not the file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'log-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const heard: LogLine[] = [];
  const log = new Log((line) => heard.push(line), join(folder, 'bridge.log'));
  const say = log.of('poll');
  say('in time');
  const closed = log.close();
  say('late');
  await closed;
  expect(heard).toEqual([
    { source: 'poll', line: 'in time' },
    { source: 'poll', line: 'late' },
  ]);
  expect(readFileSync(join(folder, 'bridge.log'), 'utf8')).toBe('poll: in time\n');
});
