import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildOptions, Metafile } from 'esbuild';

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
 * Makes the bundles of the stages, `dist/lambda/<stage>/index.mjs` with its source map, unless those that are there
 * come from the same sources. Several processes may do so at once. Throws when a source cannot be bundled.
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
  for (const stage of STAGES) mkdirSync(join(folder, stage), { recursive: true });
  for (const { path, contents } of outputFiles) writeWhole(path, contents);
  writeWhole(metafilePath, JSON.stringify(metafile));
  writeWhole(stamp, sources);
}

/** What esbuild said of the present bundles. */
export function readMetafile(): Metafile {
  return JSON.parse(readFileSync(metafilePath, 'utf8')) as Metafile;
}

/** With a rename a file appears whole or not at all, whoever else writes it. */
function writeWhole(path: string, contents: string | Uint8Array): void {
  const unfinished = `${path}.${process.pid}`;
  try {
    writeFileSync(unfinished, contents);
    renameSync(unfinished, path);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

function sourceHash(): string {
  const hash = createHash('sha256');
  const files = [
    'build/bundles.ts',
    'package-lock.json',
    ...globSync('lambdas/**/*.ts', { cwd: root }).sort(),
  ];
  for (const file of files) hash.update(file).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}
