import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildCommandLine } from '../build/command-line.ts';
import { median } from './quantile.ts';

const usage = `npm run bench:cli -- [options]
  --json      one JSON document on standard output
  --times N   runs of each (default 40)

What topaz-bridge takes to start here, beside Node alone (node -e 0). They run alternately, in fresh processes; the
first run of each, which fills the cache of compiled code, is left out. Milliseconds are medians.`;

type Measured = { readonly call: string; readonly ms: number; readonly ratio: number };

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    times: { type: 'string', default: '40' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(usage);
else {
  const folder = mkdtempSync(join(tmpdir(), 'bridge-bench-cli-'));
  try {
    const measured = await measure(folder, Number(values.times));
    console.log(values.json ? JSON.stringify({ starts: measured.map(rounded) }) : report(measured));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(folder: string, times: number): Promise<Measured[]> {
  await buildCommandLine(join(folder, 'bin'));
  const script = join(folder, 'bin/topaz-bridge.mjs');
  const bare = { call: 'node -e 0', args: ['-e', '0'] };
  const calls = [
    bare,
    ...['--version', '--help', 'track --help'].map((line) => ({
      call: `topaz-bridge ${line}`,
      args: [script, ...line.split(' ')],
    })),
  ];
  const tookMs = new Map(calls.map(({ call }) => [call, [] as number[]]));
  for (let run = 0; run <= times; run++)
    for (const { call, args } of calls) {
      const took = startMs(args, folder);
      if (run > 0) tookMs.get(call)?.push(took);
    }
  const medianMs = (call: string) => median(tookMs.get(call) ?? []);
  return calls.map(({ call }) => ({ call, ms: medianMs(call), ratio: medianMs(call) / medianMs(bare.call) }));
}

/** How long a fresh process takes, ms. */
function startMs(args: readonly string[], home: string): number {
  const began = performance.now();
  const { status } = spawnSync(process.execPath, args, { env: { HOME: home }, stdio: 'ignore' });
  const took = performance.now() - began;
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}.`);
  return took;
}

function rounded({ call, ms, ratio }: Measured): Measured {
  return { call, ms: Number(ms.toFixed(1)), ratio: Number(ratio.toFixed(2)) };
}

function report(measured: readonly Measured[]): string {
  const line = (call: string, ms: string, ratio: string) =>
    `${call.padEnd(26)}${ms.padStart(8)}${ratio.padStart(8)}`;
  return [
    line('', 'ms', 'ratio'),
    ...measured.map(({ call, ms, ratio }) => line(call, ms.toFixed(1), ratio.toFixed(2))),
  ].join('\n');
}
