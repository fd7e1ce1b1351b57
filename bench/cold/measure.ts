import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { readStack } from '../../local/runtime/template.ts';
import { median, quantile } from '../quantile.ts';

/** A function's bundle and environment, as the template has them. */
export type Bundle = {
  readonly stage: string;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
};

export type Cold = {
  readonly stage: string;
  /** Of the code, without its source map. */
  readonly bundleBytes: number;
  /** Of all files together, compressed, about what Lambda fetches. */
  readonly compressedBytes: number;
  /** From the import until the handler can be called, in a process that has just begun. */
  readonly loadP50Ms: number;
  readonly loadP95Ms: number;
  /** Resident memory after that. */
  readonly memoryBytes: number;
};

const run = promisify(execFile);
const LOAD = `
  const began = performance.now();
  const { handler } = await import(process.env.BUNDLE);
  if (typeof handler !== 'function') throw new Error('the bundle exports no handler');
  console.log(JSON.stringify({ ms: performance.now() - began, rss: process.memoryUsage.rss() }));`;

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

/** Loads a bundle in fresh processes, one after the other. */
export async function measureCold({ stage, directory, environment }: Bundle, times: number): Promise<Cold> {
  const loads: { ms: number; rss: number }[] = [];
  for (let n = 0; n < times; n++) {
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', LOAD], {
      env: {
        ...environment,
        AWS_REGION: 'us-east-1',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '2048',
        BUNDLE: join(directory, 'index.mjs'),
      },
    });
    loads.push(JSON.parse(stdout) as { ms: number; rss: number });
  }
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const durations = loads.map(({ ms }) => ms);
  return {
    stage,
    bundleBytes: statSync(join(directory, 'index.mjs')).size,
    compressedBytes: files.reduce((sum, file) => sum + gzipSync(readFileSync(file)).length, 0),
    loadP50Ms: median(durations),
    loadP95Ms: quantile(durations, 0.95),
    memoryBytes: median(loads.map(({ rss }) => rss)),
  };
}
