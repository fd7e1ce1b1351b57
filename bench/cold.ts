import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { synthesize } from '../local/runtime/synthesize.ts';
import { bundlesOf, type Cold, measureCold } from './cold/measure.ts';
import { bundleSdkOnly } from './cold/sdk-only.ts';

const usage = `npm run bench:cold -- [options]
  --json      one JSON document on standard output
  --times N   fresh processes for each function (default 15)

What a cold start of each function takes here: its deployed bundle is loaded by fresh processes with the environment
of the template, in turn with two bundles that only construct the same clients of the AWS SDK. "SDK only" has the SDK
as it is published, bundled and minified; "trimmed" leaves out what the bridge's bundles leave out of the SDK, so its
ratio shows what the bridge's own code adds. On Lambda the start of the environment comes on top, and the share of CPU
that goes with the memory. "loaded" is the code that a cold start loads; the rest is loaded when it is first needed.`;

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    times: { type: 'string', default: '15' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(usage);
else {
  const folder = mkdtempSync(join(tmpdir(), 'bridge-cold-'));
  try {
    const cold: Cold[] = [];
    for (const bundle of bundlesOf(await synthesize())) {
      const sdkOnly = await bundleSdkOnly(bundle.stage, folder);
      cold.push(await measureCold(bundle, sdkOnly, Number(values.times)));
    }
    console.log(
      values.json ? JSON.stringify({ functions: Object.fromEntries(cold.map(asJson)) }) : report(cold),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function asJson({ stage, loadedBytes, initMs, sdkOnlyMs, ratio, trimmedSdkMs, trimmedRatio }: Cold) {
  const figures = { kB: loadedBytes / 1e3, initMs, sdkOnlyMs, ratio, trimmedSdkMs, trimmedRatio };
  return [
    stage,
    Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, Number(value.toFixed(2))])),
  ];
}

function report(cold: readonly Cold[]): string {
  const line = (cells: readonly string[]) => cells.map((cell) => cell.padStart(14)).join('');
  return [
    line([
      'function',
      'loaded kB',
      'all code kB',
      'compressed kB',
      'init ms',
      'SDK only ms',
      'ratio',
      'trimmed ms',
      'ratio',
      'memory MB',
    ]),
    ...cold.map((each) =>
      line([
        each.stage,
        (each.loadedBytes / 1e3).toFixed(0),
        (each.codeBytes / 1e3).toFixed(0),
        (each.compressedBytes / 1e3).toFixed(0),
        each.initMs.toFixed(0),
        each.sdkOnlyMs.toFixed(0),
        each.ratio.toFixed(2),
        each.trimmedSdkMs.toFixed(0),
        each.trimmedRatio.toFixed(2),
        (each.memoryBytes / 1e6).toFixed(0),
      ]),
    ),
  ].join('\n');
}
