import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CLI_PAGE, cliPage } from '../../build/cli-page.ts';

test('docs/cli.md says what the help says; else run npm run docs:cli', () => {
  expect(readFileSync(CLI_PAGE, 'utf8')).toBe(cliPage());
});

test('every command has an example in its help', () => {
  const [, ...sections] = cliPage().split(/^#{2,3} /m);
  const without = sections.filter((each) => each.includes('USAGE') && !each.includes('EXAMPLES'));
  expect(without).toEqual([]);
});
