import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildOptions, Metafile } from 'esbuild';
import { buildConsole } from './console.ts';
import { writeWhole } from './write-whole.ts';

/** The stages, each with its handler in `lambdas/<stage>/handler.ts`. */
export const STAGES = ['api', 'tick', 'poll', 'copy', 'dispatch', 'deliver'] as const;

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'dist/lambda');
/** The hash of the sources that the bundles were built from. */
const stamp = join(folder, 'sources.sha256');
/** What esbuild says about the bundles: which file is in which, with how many bytes. */
const metafilePath = join(folder, 'meta.json');

/** How every stage is bundled. */
const options = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  mainFields: ['module', 'main'],
  minify: true,
  sourcemap: true,
  sourcesContent: false,
  legalComments: 'none',
  outExtension: { '.js': '.mjs' },
  metafile: true,
  logLevel: 'warning',
  // CommonJS packages inside an ES module still call require.
  banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
} satisfies BuildOptions;

/**
 * Makes the bundles of the stages, `dist/lambda/<stage>/index.mjs` with its source map, and the console's files beside
 * that of `api`, unless those that are there come from the same sources. Several processes may do so at once. Throws when a source cannot be bundled.
 */
export async function buildBundles(): Promise<void> {
  const sources = sourceHash();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return;
  // Only who bundles needs esbuild; the package that is published has the bundles and not esbuild.
  const { build } = await import('esbuild');
  const { outputFiles, metafile } = await build({
    ...options,
    entryPoints: STAGES.map((stage) => ({ in: `lambdas/${stage}/handler.ts`, out: `${stage}/index` })),
    outdir: folder,
    write: false,
  });
  const page = await buildConsole(join(folder, 'api/console'));
  for (const stage of STAGES) mkdirSync(join(folder, stage), { recursive: true });
  for (const { path, contents } of outputFiles) writeWhole(path, contents);
  const all: Metafile = {
    inputs: { ...metafile.inputs, ...page.metafile.inputs },
    outputs: { ...metafile.outputs, ...page.metafile.outputs },
  };
  writeWhole(metafilePath, JSON.stringify(all));
  writeWhole(stamp, sources);
}

/** What esbuild said of the present bundles. */
export function readMetafile(): Metafile {
  return JSON.parse(readFileSync(metafilePath, 'utf8')) as Metafile;
}

function sourceHash(): string {
  const hash = createHash('sha256');
  const files = [
    'build/bundles.ts',
    'build/console.ts',
    'package-lock.json',
    ...globSync(['lambdas/**/*.ts', 'client/**/*.ts', 'console/**/*.*'], { cwd: root }).sort(),
  ];
  for (const file of files) hash.update(file).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}
