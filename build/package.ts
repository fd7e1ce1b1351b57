import { execFileSync } from 'node:child_process';
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import { buildBundles, readMetafile } from './bundles.ts';
import { buildCommandLine } from './command-line.ts';

/** Node of the oldest system on which the package is used: the CDK's own. */
const TARGET = 'node20';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const common = {
  absWorkingDir: root,
  bundle: true,
  target: TARGET,
  metafile: true,
  logLevel: 'warning',
} satisfies BuildOptions;

/**
 * Makes `dist/` as npm publishes it: the bundles of the functions, the construct, the client, the
 * command line, and their types. The construct is CommonJS, which both CommonJS and ES modules import on every
 * version of Node that the CDK supports.
 *
 * @returns what esbuild says of all that it bundled
 */
export async function buildPackage(): Promise<Metafile[]> {
  await buildBundles();
  for (const folder of ['lib', 'client', 'types'])
    rmSync(join(dist, folder), { recursive: true, force: true });
  writeFileSync(join(dist, 'package.json'), JSON.stringify({ type: 'commonjs' }));
  const metafiles = [
    await buildConstruct(),
    ...(await buildClient()),
    await buildCommandLine(join(dist, 'cli'), common),
  ];
  buildTypes();
  return [readMetafile(), ...metafiles];
}

async function buildConstruct(): Promise<Metafile> {
  const { metafile } = await build({
    ...common,
    entryPoints: ['lib/index.ts'],
    outfile: join(dist, 'lib/index.js'),
    format: 'cjs',
    platform: 'node',
    external: ['aws-cdk-lib', 'constructs'],
    // The construct finds files from the folder of its source, which is as deep as the folder of the compiled file.
    define: { 'import.meta.url': 'SOURCE_URL' },
    banner: {
      js: "const SOURCE_URL = require('node:url').pathToFileURL(require('node:path').join(__dirname, '../../lib/index.js')).href;",
    },
  });
  return metafile;
}

async function buildClient(): Promise<Metafile[]> {
  const formats = [
    { format: 'esm', outfile: join(dist, 'client/index.mjs') },
    { format: 'cjs', outfile: join(dist, 'client/index.js') },
  ] as const;
  const results = formats.map((each) =>
    build({ ...common, ...each, entryPoints: ['client/client.ts'], platform: 'neutral' }),
  );
  return (await Promise.all(results)).map(({ metafile }) => metafile);
}

function buildTypes(): void {
  execFileSync(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'build/tsconfig.json'],
    {
      cwd: root,
      stdio: 'inherit',
    },
  );
  const needed = new Set<string>();
  for (const entry of ['lib/index.d.ts', 'client/client.d.ts'])
    finishDeclaration(join(dist, 'types', entry), needed);
  for (const file of globSync('dist/types/**/*.d.ts', { cwd: root })) {
    if (!needed.has(join(root, file))) rmSync(join(root, file));
  }
}

const RELATIVE_IMPORT = /((?:from|import|import\()\s*['"])(\.{1,2}\/[^'"]+)\.ts(?=['"])/g;

/**
 * Names the imports of a declaration, and of those that it imports, by `.js`: the compiler leaves their endings as
 * the sources have them, and finds no declarations by those.
 *
 * @param done the declarations that are finished
 */
function finishDeclaration(path: string, done: Set<string>): void {
  if (done.has(path)) return;
  done.add(path);
  const text = readFileSync(path, 'utf8');
  for (const [, , to = ''] of text.matchAll(RELATIVE_IMPORT))
    finishDeclaration(join(dirname(path), `${to}.d.ts`), done);
  writeFileSync(path, text.replace(RELATIVE_IMPORT, '$1$2.js'));
}

if (import.meta.main) await buildPackage();
