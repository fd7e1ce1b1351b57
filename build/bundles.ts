import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildOptions, Metafile, Plugin } from 'esbuild';
import { buildConsole } from './console.ts';
import { ownSourceMap } from './own-source-map.ts';
import { writeWhole } from './write-whole.ts';

/** The stages, each with its handler in `lambdas/<stage>/handler.ts`. */
const STAGES = ['api', 'tick', 'poll', 'copy', 'dispatch', 'deliver'] as const;

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'dist/lambda');
/** The hash of the sources that the bundles were built from. */
const stamp = join(folder, 'sources.sha256');
/** What esbuild says about the bundles: which file is in which, with how many bytes. */
const metafilePath = join(folder, 'meta.json');

/**
 * The SDK describes each call by arrays of constants, and their names by constants as computed keys. esbuild keeps what
 * computes keys, since that may have an effect; with the keys written out it drops unused calls.
 */
const literalKeys: Plugin = {
  name: 'literal-keys',
  setup({ onLoad }) {
    onLoad({ filter: /dist-es[\\/]schemas[\\/]schemas_0\.js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      const constants = new Map(
        [...text.matchAll(/^const (_\w+) = ("[^"]*");$/gm)].map(([, name, value]) => [name, value]),
      );
      return {
        contents: text.replace(/\[(_\w+)\]:/g, (all, name) =>
          constants.has(name) ? `${constants.get(name)}:` : all,
        ),
      };
    });
  },
};

/**
 * The SDK derives a class from the web's ReadableStream, which loads all web streams of Node at each cold start. No body
 * of the bridge is one.
 */
const noWebStreams: Plugin = {
  name: 'no-web-streams',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]ChecksumStream\.browser\.js$/ }, () => ({
      contents: 'export class ChecksumStream {}',
    }));
  },
};

/**
 * The modules in a stage's folder `late`, which its code imports when it first needs them, are bundled by themselves, into
 * `late` next to its bundle. In one build with it, files that both import would go into the bundle with all that either of
 * them uses.
 */
const lateModules: Plugin = {
  name: 'late-modules',
  setup({ onResolve }) {
    onResolve({ filter: /\/late\/[\w-]+\.ts$/ }, ({ path, kind }) => {
      if (kind === 'entry-point') return undefined;
      if (kind === 'dynamic-import') return { path: `./late/${basename(path, '.ts')}.mjs`, external: true };
      return { errors: [{ text: 'This is loaded when it is first needed: use import().' }] };
    });
  },
};

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

/** How every stage is bundled. */
export const BUNDLE_OPTIONS = {
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
  // A module that is imported only when it is needed becomes a separate file.
  splitting: true,
  chunkNames: '[name]-[hash]',
  alias: {
    '@aws-sdk/credential-provider-node': './build/stand-ins/credentials.ts',
    '@aws-sdk/endpoint-cache': './build/stand-ins/endpoint-cache.ts',
    '@smithy/core/event-streams': './build/stand-ins/event-streams.ts',
    'node:http': './build/stand-ins/http.ts',
  },
  // A part of the SDK for browsers only.
  external: ['bowser'],
  plugins: [literalKeys, noWebStreams, lateModules],
  define: { VERSION: JSON.stringify(version) },
  metafile: true,
  logLevel: 'warning',
  // CommonJS packages inside an ES module still call require.
  banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
} satisfies BuildOptions;

/**
 * Makes the bundles of the stages, `dist/lambda/<stage>/index.mjs` with its source map, and the console's files next to
 * that of `api`, unless they exist already for the same sources. Several processes may do so at once. Throws when a
 * source cannot be bundled.
 */
export async function buildBundles(): Promise<void> {
  const sources = sourceHash();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return;
  // Only building needs esbuild: the published package has the bundles, and not esbuild.
  const { build } = await import('esbuild');
  const { metafile } = await buildConsole(join(folder, 'api/console'));
  // One by one, or the stages would share files.
  for (const stage of STAGES) {
    const late = globSync(`lambdas/${stage}/late/*.ts`, { cwd: root });
    const present: string[] = [];
    for (const entry of [
      { in: `lambdas/${stage}/handler.ts`, out: 'index' },
      ...late.map((path) => ({ in: path, out: `late/${basename(path, '.ts')}` })),
    ]) {
      const { outputFiles, metafile: own } = await build({
        ...BUNDLE_OPTIONS,
        entryPoints: [entry],
        chunkNames: posix.join(posix.dirname(entry.out), BUNDLE_OPTIONS.chunkNames),
        outdir: join(folder, stage),
        write: false,
      });
      for (const { path, contents, text } of outputFiles) {
        mkdirSync(dirname(path), { recursive: true });
        writeWhole(path, path.endsWith('.map') ? ownSourceMap(text) : contents);
        present.push(path);
      }
      Object.assign(metafile.outputs, own.outputs);
    }
    for (const file of globSync(`${stage}/{,late/}*.{mjs,mjs.map}`, { cwd: folder })) {
      if (!present.includes(join(folder, file))) rmSync(join(folder, file), { force: true });
    }
  }
  writeWhole(metafilePath, JSON.stringify(metafile));
  writeWhole(stamp, sources);
}

/** What esbuild said of the present bundles. */
export function readMetafile(): Metafile {
  return JSON.parse(readFileSync(metafilePath, 'utf8')) as Metafile;
}

function sourceHash(): string {
  const hash = createHash('sha256');
  const sources = ['build/**/*.ts', 'lambdas/**/*.ts', 'client/**/*.ts', 'console/**/*.*'];
  const files = ['package.json', 'package-lock.json', ...globSync(sources, { cwd: root }).sort()];
  for (const file of files) hash.update(file).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}
