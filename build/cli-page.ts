import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateHelpTextForAllCommands, type RouteMap } from '@stricli/core';
import { ABOUT, createApp } from '../cli/app.ts';
import type { CliContext } from '../cli/command/command.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Where the page belongs. */
export const CLI_PAGE = join(root, 'docs/cli.md');

/** The page of the command line: what the help of each command says. */
export function cliPage(): string {
  const app = createApp('');
  const commands = (app.root as RouteMap<CliContext>).getAllEntries().map(({ name, target }) => ({
    name: name.original,
    brief: target.brief,
  }));
  const helps = generateHelpTextForAllCommands(app as never).map(([route, help]) => ({
    name: route.replace(/^topaz-bridge /, ''),
    help: help.trim(),
  }));
  const sections = commands.flatMap(({ name, brief }) => {
    const own = helps.filter((each) => each.name === name).map(({ help }) => fenced(help));
    const below = helps
      .filter((each) => each.name.startsWith(`${name} `))
      .flatMap((each) => [`### ${each.name}`, fenced(each.help)]);
    return [`## ${name}`, ...(own.length > 0 ? own : [`${brief}.`]), ...below];
  });
  return `${[
    '# The command line',
    '<!-- `npm run docs:cli` writes this page from the help of the commands. -->',
    'In a checkout: `npm run -s cli -- track ID`. In the package: `npx topaz-bridge track ID`. It keeps compiled\ncode in `~/.cache/topaz-bridge`, so that it starts faster; `NODE_DISABLE_COMPILE_CACHE=1` turns that off.',
    fenced(ABOUT),
    [
      '| command | |',
      '|---|---|',
      ...commands.map(({ name, brief }) => `| [\`${name}\`](#${name}) | ${brief} |`),
    ].join('\n'),
    ...sections,
  ].join('\n\n')}\n`;
}

const fenced = (text: string): string => `\`\`\`text\n${text}\n\`\`\``;

if (import.meta.main) writeFileSync(CLI_PAGE, cliPage());
