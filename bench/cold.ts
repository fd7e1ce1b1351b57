import { parseArgs } from 'node:util';
import { synthesize } from '../local/runtime/synthesize.ts';
import { bundlesOf, type Cold, measureCold } from './cold/measure.ts';

const usage = `npm run bench:cold -- [options]
  --json      one JSON document on standard output
  --times N   fresh processes for each function (default 20)

What a cold start of each function takes here: its deployed bundle is loaded by fresh processes with the environment
of the template. On Lambda the start of the environment comes on top, and the share of CPU that goes with the memory.`;

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    times: { type: 'string', default: '20' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(usage);
else {
  const cold: Cold[] = [];
  for (const bundle of bundlesOf(await synthesize())) {
    cold.push(await measureCold(bundle, Number(values.times)));
  }
  console.log(values.json ? JSON.stringify(cold) : report(cold));
}

function report(cold: readonly Cold[]): string {
  const line = (cells: readonly string[]) => cells.map((cell) => cell.padStart(14)).join('');
  return [
    line(['function', 'bundle kB', 'compressed kB', 'load p50 ms', 'load p95 ms', 'memory MB']),
    ...cold.map(({ stage, bundleBytes, compressedBytes, loadP50Ms, loadP95Ms, memoryBytes }) =>
      line([
        stage,
        (bundleBytes / 1e3).toFixed(0),
        (compressedBytes / 1e3).toFixed(0),
        loadP50Ms.toFixed(0),
        loadP95Ms.toFixed(0),
        (memoryBytes / 1e6).toFixed(0),
      ]),
    ),
  ].join('\n');
}
