import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { readStack } from '../../local/runtime/template.ts';
import { median } from '../quantile.ts';
import type { SdkOnly } from './sdk-only.ts';

/** A function's bundle and environment, as the template has them. */
export type Bundle = {
  readonly stage: string;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
};

export type Cold = {
  readonly stage: string;
  /** Of the code that a cold start loads, without source maps. */
  readonly loadedBytes: number;
  /** Of all code: also of what is loaded when it is first needed. */
  readonly codeBytes: number;
  /** Of all files, compressed, about what Lambda fetches. */
  readonly compressedBytes: number;
  /** From the start of the process until the handler can be called, ms. */
  readonly initMs: number;
  /** The same of a bundle that only constructs the same SDK clients, as published, ms. */
  readonly sdkOnlyMs: number;
  /** Of `initMs` and `sdkOnlyMs`, by the processes that ran next to each other. */
  readonly ratio: number;
  /** As `sdkOnlyMs`, but without what the bridge leaves out of the SDK. */
  readonly trimmedSdkMs: number;
  /** Of `initMs` and `trimmedSdkMs`: what the bridge's own code adds. */
  readonly trimmedRatio: number;
  /** Resident memory when the handler can be called. */
  readonly memoryBytes: number;
};

const run = promisify(execFile);
const LOAD = `
  const { handler } = await import(process.env.BUNDLE);
  if (typeof handler !== 'function') throw new Error('the bundle exports no handler');
  console.log(JSON.stringify({ ms: performance.now(), rss: process.memoryUsage.rss() }));`;

/** The bundles of a synthesized stack. */
export function bundlesOf(templateDir: string): Bundle[] {
  const { document, assetDirectory } = readStack(templateDir);
  return Object.values(document.Resources)
    .filter(({ Type }) => Type === 'AWS::Lambda::Function')
    .map(({ Properties }) => {
      const { Code, Description, Environment } = Properties as {
        Code: { S3Key: string };
        Description: string;
        Environment: { Variables: Record<string, unknown> };
      };
      return {
        stage: Description.split(' ').at(-1) ?? '',
        directory: assetDirectory(Code.S3Key),
        // What refers to other resources is only read when the function works.
        environment: Object.fromEntries(
          Object.entries(Environment.Variables).map(([name, value]) => [
            name,
            typeof value === 'string' ? value : 'http://127.0.0.1/of-another-resource',
          ]),
        ),
      };
    });
}

/** Loads a bundle and those with the SDK only in turn, each in a fresh process. */
export async function measureCold(bundle: Bundle, sdkOnly: SdkOnly, times: number): Promise<Cold> {
  const { stage, directory, environment } = bundle;
  const rounds: Record<'own' | 'published' | 'trimmed', Loaded>[] = [];
  for (let n = 0; n < times; n++) {
    rounds.push({
      published: await load(sdkOnly.published, environment),
      own: await load(directory, environment),
      trimmed: await load(sdkOnly.trimmed, environment),
    });
  }
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const code = files.filter((file) => file.endsWith('.mjs'));
  return {
    stage,
    loadedBytes: sizeOf([...importedBy(directory, 'index.mjs')].map((file) => join(directory, file))),
    codeBytes: sizeOf(code),
    compressedBytes: files.reduce((sum, file) => sum + gzipSync(readFileSync(file)).length, 0),
    initMs: median(rounds.map(({ own }) => own.ms)),
    sdkOnlyMs: median(rounds.map(({ published }) => published.ms)),
    ratio: median(rounds.map(({ own, published }) => own.ms / published.ms)),
    trimmedSdkMs: median(rounds.map(({ trimmed }) => trimmed.ms)),
    trimmedRatio: median(rounds.map(({ own, trimmed }) => own.ms / trimmed.ms)),
    memoryBytes: median(rounds.map(({ own }) => own.rss)),
  };
}

type Loaded = { ms: number; rss: number };

async function load(directory: string, environment: Readonly<Record<string, string>>): Promise<Loaded> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', LOAD], {
    env: {
      ...environment,
      AWS_REGION: 'us-east-1',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '1024',
      BUNDLE: join(directory, 'index.mjs'),
    },
  });
  return JSON.parse(stdout) as Loaded;
}

const sizeOf = (files: readonly string[]) => files.reduce((sum, file) => sum + statSync(file).size, 0);

/** The files that are loaded with `file`: those that it imports, not those that it may import later. */
export function importedBy(directory: string, file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  const text = readFileSync(join(directory, file), 'utf8');
  for (const [, imported = ''] of text.matchAll(/(?:import|from)\s*"\.\/([\w-]+\.mjs)"/g)) {
    importedBy(directory, imported, found);
  }
  return found;
}
