import { globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';

type Verdict = {
  readonly status: 'safe' | 'vulnerable' | 'unknown';
  readonly complexity?: { summary: string };
};
type Check = (source: string, flags: string, options: { timeout: number }) => Verdict;

// The other backends need Java or a binary for the platform.
process.env.RECHECK_BACKEND = 'pure';
const { checkSync } = createRequire(import.meta.url)('recheck') as { checkSync: Check };

/** A regular expression where an expression may begin; what a class holds does not end it. */
const LITERAL =
  /(?<=[=(,:[!&|?{};]\s*|return\s+|^\s*)\/(?![*/])((?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([dgimsuvy]*)/gm;
const COMMENT = /^\s*(\/\/|\/?\*).*$/gm;
/** What may match without a limit; without any of these the work has one too. */
const UNBOUNDED = /[*+]|\{\d+,\}/;

const root = join(import.meta.dirname, '..');

function patterns(): { file: string; source: string; flags: string }[] {
  return globSync('lambdas/**/*.ts', { cwd: root }).flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8').replace(COMMENT, '');
    return [...text.matchAll(LITERAL)].map(([, source = '', flags = '']) => ({ file, source, flags }));
  });
}

// Deployed code reads what strangers send, and a pattern that backtracks lets them stop a worker.
test('no regular expression of the functions takes more than linear time', { timeout: 120_000 }, () => {
  const found = patterns();
  expect(found.length).toBeGreaterThan(40);
  const slow = found
    .filter(({ source }) => UNBOUNDED.test(source))
    .flatMap(({ file, source, flags }) => {
      const { status, complexity } = checkSync(source, flags, { timeout: 60_000 });
      return status === 'safe' ? [] : [`${file}: /${source}/${flags} is ${complexity?.summary ?? status}`];
    });
  expect(slow).toEqual([]);
});

test('the check finds a pattern that backtracks', () => {
  // It parsed the headers of answers, until `x:` and 2,000 blanks took nine seconds.
  const cubic = "^([!#$%&'*+.^_`|~\\w-]+):[ \\t]*([^\\r\\n]*?)[ \\t]*$";
  expect(checkSync(cubic, '', { timeout: 60_000 })).toMatchObject({ status: 'vulnerable' });
});
