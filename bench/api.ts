import { parseArgs } from 'node:util';
import { log } from '../lambdas/adapters/lambda/log.ts';
import { measureRoutes, type RouteFigures } from './api/measure.ts';
import { startApiWorld } from './api/world.ts';

const usage = `npm run bench:api -- [options]
  --json          one JSON document on standard output
  --times N       calls of each route (default 30)
  --requests A,B  sizes of the table to measure at (default 100,10000,100000)
  --latency MS    how long each recorded answer takes (default 0)`;

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    times: { type: 'string', default: '30' },
    requests: { type: 'string', default: '100,10000,100000' },
    latency: { type: 'string', default: '0' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(usage);
else {
  log.setLogLevel('ERROR'); // a line for each change would stand among the figures
  const world = await startApiWorld(Number(values.latency));
  try {
    const figures: RouteFigures[] = [];
    for (const requests of values.requests.split(',').map(Number)) {
      figures.push(...(await measureRoutes(world, requests, Number(values.times))));
    }
    console.log(values.json ? JSON.stringify({ routes: figures }) : report(figures));
  } finally {
    await world.stop();
  }
}

function report(figures: readonly RouteFigures[]): string {
  const lines = figures.map(({ route, requests, p50, p99, alone, awsCalls, rounds, multiple }) =>
    [
      String(requests).padStart(8),
      route.padEnd(42),
      ...[p50, p99, alone, awsCalls, rounds].map((each) => each.toFixed(1).padStart(8)),
      multiple ? times(multiple) : '',
    ].join('  '),
  );
  const head = [
    'requests',
    'route'.padEnd(42),
    ...['p50 ms', 'p99 ms', 'alone ms', 'AWS', 'rounds'].map((each) => each.padStart(8)),
    'times one (p50, alone)',
  ].join('  ');
  return `${[head, ...lines].join('\n')}

alone: with recorded answers, each after ${values.latency} ms, instead of the DynamoDB emulator, which serves one call at a time.
AWS: calls; rounds: how often a call waits for an earlier one.
times one: a batch as a multiple of one registration, a page of one request.`;
}

function times({ p50, alone }: NonNullable<RouteFigures['multiple']>): string {
  return [p50, alone].map((each) => `${each.toFixed(1)} x`).join(', ');
}
