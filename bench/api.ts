import { parseArgs } from 'node:util';
import { measureRoutes, type RouteFigures } from './api/measure.ts';
import { startApiWorld } from './api/world.ts';

const usage = `npm run bench:api -- [options]
  --json          one JSON document on standard output
  --times N       calls of each route (default 30)
  --requests A,B  sizes of the table to measure at (default 100,10000,100000)`;

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    times: { type: 'string', default: '30' },
    requests: { type: 'string', default: '100,10000,100000' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(usage);
else {
  const world = await startApiWorld();
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
  const lines = figures.map(({ route, requests, p50, p99, awsCalls }) =>
    [
      String(requests).padStart(8),
      route.padEnd(42),
      p50.toFixed(1).padStart(8),
      p99.toFixed(1).padStart(8),
      awsCalls.toFixed(1).padStart(10),
    ].join('  '),
  );
  const head = ['requests', 'route'.padEnd(42), '  p50 ms', '  p99 ms', ' AWS calls'].join('  ');
  return [head, ...lines].join('\n');
}
