import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { EVENT_TYPES } from '../lambdas/domain/events/event-types.ts';
import { SETTINGS } from '../lib/config.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGES = globSync('{*.md,docs/**/*.md}', { cwd: ROOT });

/** The id that GitHub gives a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (page: string) =>
  [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));

test.each(PAGES)('every link in %s leads to a file, and to a heading of it', (page) => {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)];
  const dead = links.filter(([, path = '', anchor]) => {
    const file = path === '' ? join(ROOT, page) : join(ROOT, dirname(page), path);
    if (!existsSync(file)) return true;
    return anchor !== undefined && !anchorsOf(readFileSync(file, 'utf8')).includes(anchor);
  });
  expect(dead.map(([link]) => link)).toEqual([]);
});

/** The names in the first column of a table of the README, below this line of headings. */
const firstColumn = (headings: string): string[] => {
  const [, below = ''] = readFileSync(join(ROOT, 'README.md'), 'utf8').split(headings);
  const [table = ''] = below.trimStart().split('\n\n');
  const cells = table.split('\n').map((row) => row.split('|')[1] ?? '');
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));
};

test("the README's table of settings has each setting once, and no other", () => {
  expect(firstColumn('| setting | default | meaning |').sort()).toEqual(Object.keys(SETTINGS).sort());
});

test("the README's table of events has each type once, and no other", () => {
  // `.accepted` after `video.requested` is short for `video.accepted`.
  const types = firstColumn('| event | when |').map((name) => name.replace(/^\./, 'video.'));
  expect(types.sort()).toEqual([...EVENT_TYPES].sort());
});
