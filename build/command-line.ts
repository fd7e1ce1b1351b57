import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Metafile } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Bundles the command line into `outdir`: one small file, which every call loads, and others that only some commands
 * need, such as prompts and the AWS SDK.
 *
 * @param options what all of the package is bundled with
 * @returns what esbuild says of it
 */
export async function buildCommandLine(outdir: string, options: BuildOptions = {}): Promise<Metafile> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  rmSync(outdir, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: root,
    bundle: true,
    target: 'node20',
    logLevel: 'warning',
    ...options,
    metafile: true,
    entryPoints: ['cli/topaz-bridge.ts'],
    inject: ['cli/at-start.ts'],
    outdir,
    format: 'esm',
    platform: 'node',
    splitting: true,
    minify: true,
    legalComments: 'none',
    mainFields: ['module', 'main'],
    outExtension: { '.js': '.mjs' },
    chunkNames: 'parts/[name]-[hash]',
    define: { VERSION: JSON.stringify(version) },
  });
  chmodSync(join(outdir, 'topaz-bridge.mjs'), 0o755);
  return metafile;
}

if (import.meta.main) await buildCommandLine(join(root, 'dist/cli'));
