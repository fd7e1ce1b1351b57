import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CLI_PAGE, cliPage } from '../../build/cli-page.ts';

test('docs/cli.md says what the help says; else run npm run docs:cli', () => {
  expect(readFileSync(CLI_PAGE, 'utf8')).toBe(cliPage());
});

test('every command is driven by a test', () => {
  const tests = globSync('*.test.ts', { cwd: import.meta.dirname }).map((name) =>
    readFileSync(join(import.meta.dirname, name), 'utf8'),
  );
  const names = [...cliPage().matchAll(/^#{2,3} (.*)$/gm)].map(([, name = '']) => name);
  const words = names.map((name) => name.split(' ').map((word) => `'${word}'`));
  const isDriven = (quoted: string[]) => tests.some((text) => new RegExp(quoted.join(',\\s*')).test(text));
  expect(words.filter((quoted) => !isDriven(quoted))).toEqual([]);
});

test('every command has an example in its help', () => {
  const [, ...sections] = cliPage().split(/^#{2,3} /m);
  const without = sections.filter((each) => each.includes('USAGE') && !each.includes('EXAMPLES'));
  expect(without).toEqual([]);
});
