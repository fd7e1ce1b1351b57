import { expect, onTestFinished, test, vi } from 'vitest';
import { log } from '../../../../lambdas/adapters/lambda/log.ts';

/** What is written meanwhile, by lines. */
function linesOf(write: () => void): string[] {
  const level = log.getLevelName();
  log.setLogLevel('INFO');
  onTestFinished(() => log.setLogLevel(level));
  let written = '';
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      written += String(chunk);
      return true;
    }),
  );
  try {
    write();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return written.split('\n').slice(0, -1);
}

test.each([
  'paused\n{"level":"ERROR","message":"forged"}',
  'paused\r\nforged',
  '"},{"level":"ERROR"',
  '\u001b[2J\u001b]0;owned\u0007',
  'a\0b',
])('one outcome is one line of JSON, whatever others have written into it: %j', (foreign) => {
  const lines = linesOf(() => {
    log.info('polled', { status: foreign, [foreign]: 1 });
    log.error('work failed', { error: new Error(foreign, { cause: new Error(foreign) }) });
  });
  expect(lines).toHaveLength(2);
  for (const line of lines) expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { message: 'polled', status: foreign },
    { message: 'work failed', error: { message: foreign } },
  ]);
});
