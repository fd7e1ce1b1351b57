import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { BuildOptions, Metafile, OutputFile } from 'esbuild';
import { writeWhole } from './write-whole.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const options = {
  absWorkingDir: root,
  entryPoints: { console: 'console/main.tsx', icon: 'console/icon.svg' },
  bundle: true,
  write: false,
  metafile: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  mainFields: ['browser', 'module', 'main'],
  entryNames: '[name]-[hash]',
  legalComments: 'none',
  loader: { '.svg': 'copy' },
  logLevel: 'warning',
} satisfies BuildOptions;

/**
 * Bundles the console into `folder`: every file compressed, under a name that changes with its content, the page,
 * and `files.json`, from which the api stage serves them.
 *
 * @returns bytes of all files, compressed, and what esbuild says of them
 */
export async function buildConsole(folder: string): Promise<{ bytes: number; metafile: Metafile }> {
  const { build } = await import('esbuild');
  const { outputFiles, metafile } = await build({ ...options, outdir: folder, minify: true });
  return { bytes: writeFiles(folder, outputFiles), metafile };
}

function writeFiles(folder: string, outputs: readonly OutputFile[]): number {
  const contents = new Map(outputs.map(({ path, contents: bytes }) => [basename(path), Buffer.from(bytes)]));
  const page = readFileSync(join(root, 'console/index.html'), 'utf8');
  contents.set('index.html', Buffer.from(withNames(page, [...contents.keys()])));
  mkdirSync(folder, { recursive: true });
  let size = 0;
  const files: Record<string, { type: string; etag: string }> = {};
  for (const [name, bytes] of contents) {
    const compressed = gzipSync(bytes, { level: 9 });
    size += compressed.length;
    writeWhole(join(folder, `${name}.gz`), compressed);
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
    files[name] = { type: TYPES[extname(name)] ?? 'application/octet-stream', etag };
  }
  writeWhole(join(folder, 'files.json'), JSON.stringify(files));
  for (const file of readdirSync(folder).filter((each) => each.endsWith('.gz')))
    if (!contents.has(basename(file, '.gz'))) rmSync(join(folder, file), { force: true });
  return size;
}

/** The page with the names that the bundles got. */
function withNames(page: string, names: readonly string[]): string {
  return page.replaceAll(/\{(\w+\.\w+)\}/g, (_, wanted: string) => {
    const [stem, extension] = wanted.split('.');
    const name = names.find((each) => each.startsWith(`${stem}-`) && each.endsWith(`.${extension}`));
    if (!name) throw new Error(`index.html names ${wanted}, which is not among the bundles.`);
    return name;
  });
}

/** Builds again whenever a source changes, until the process ends. */
async function watch(folder: string): Promise<void> {
  const { context } = await import('esbuild');
  const write = (outputs: readonly OutputFile[]) => {
    writeFiles(folder, outputs);
    console.log(`${new Date().toLocaleTimeString()} the console is built: reload the page`);
  };
  const watcher = await context({
    ...options,
    outdir: folder,
    sourcemap: 'inline',
    plugins: [
      {
        name: 'write',
        setup: ({ onEnd }) =>
          onEnd(({ outputFiles = [], errors }) => {
            if (errors.length === 0) write(outputFiles);
          }),
      },
    ],
  });
  await watcher.watch();
}

/** The folder from which the bridge that was started last on this machine serves the console. */
function folderOfRunningBridge(): string {
  const built = globSync(join(root, '.bridge/cdk.out-*/asset.*/console'));
  const newest = built.sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs).at(-1);
  if (!newest) throw new Error('No bridge was started here yet: run npm start first.');
  return newest;
}

if (import.meta.main) await watch(folderOfRunningBridge());
