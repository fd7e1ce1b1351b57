import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Metafile } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const WIDTH = 80;
const HEAD = `Webhooks for the Topaz Video API
Licensed under the Apache License, Version 2.0 (see LICENSE).

The published package contains code of the packages below, bundled into its
functions, construct and client. \`npm run notice\` writes this file from what
the bundler says.
`;

/** Where the file belongs. */
export const NOTICE = join(root, 'NOTICE');

/** The text of NOTICE for what was bundled: each package with its version, its license and the license's text. */
export function noticeOf(metafiles: readonly Metafile[]): string {
  const inputs = metafiles
    .flatMap(({ outputs }) => Object.values(outputs))
    .flatMap(({ inputs }) => Object.entries(inputs));
  const folders = inputs
    // esbuild also lists files of which nothing is left in the bundle.
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([file]) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0])
    .filter((folder) => folder !== undefined);
  const notices = [...new Set(folders)].map((folder) => noticeOfPackage(join(root, folder)));
  const texts = Map.groupBy(notices, ({ text }) => text);
  // Packages of one owner share a text.
  const sections = [...texts].map(([text, packages]) => {
    const titles = packages.map(({ title }) => title).sort();
    return [...new Set(titles), '', text].join('\n');
  });
  return [HEAD, ...sections.sort()].join(`\n${'-'.repeat(WIDTH)}\n\n`);
}

function noticeOfPackage(folder: string): { title: string; text: string } {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string;
  };
  if (!license) throw new Error(`${name} names no license: find out whether it may be bundled.`);
  const files = globSync('{LICENSE,LICENCE,license,licence,NOTICE}*', { cwd: folder }).filter(
    (file) => !/\.[jt]s$/.test(file),
  );
  const texts = [...new Set(files)]
    .sort()
    .map((file) => readFileSync(join(folder, basename(file)), 'utf8').trim());
  const text = texts.length > 0 ? texts.join('\n\n') : `(The package has no text of the license ${license}.)`;
  return {
    title: `${name} ${version} (${license})`,
    text: `${text.replace(/\r/g, '').replace(/[ \t]+$/gm, '')}\n`,
  };
}

if (import.meta.main) {
  const { buildPackage } = await import('./package.ts');
  writeFileSync(NOTICE, noticeOf(await buildPackage()));
}
