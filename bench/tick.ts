import { parseArgs } from 'node:util';
import { type Burst, measureBacklog, measureBurst, measureWaiting, type Tick } from './tick/measure.ts';
import { startTickWorld, type TickWorld } from './tick/world.ts';

const usage = `npm run bench:tick -- [options]
  --json   one JSON document on standard output`;

const SIZES = [1_000, 10_000, 50_000];
const OVERDUE = 500;
const BACKLOG = { rows: 3_000, perMinute: 600 };
const BURST = 20_000;

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
});

if (values.help) console.log(usage);
else {
  const waiting = await inWorld((world) => measureWaiting(world, SIZES, OVERDUE));
  const backlogHintsPerDueRow = await inWorld((world) =>
    measureBacklog(world, BACKLOG.rows, BACKLOG.perMinute),
  );
  const burst = await inWorld((world) => measureBurst(world, BURST));
  if (values.json) {
    const { rows, messages, awsCalls, ms } = burst;
    const document = { waiting, backlogHintsPerDueRow, burst: { rows, messages, awsCalls, ms } };
    console.log(JSON.stringify(document));
  } else console.log(report(waiting, backlogHintsPerDueRow, burst));
}

/** Measures in a table and queues of its own. */
async function inWorld<T>(measure: (world: TickWorld) => Promise<T>): Promise<T> {
  const world = await startTickWorld();
  try {
    return await measure(world);
  } finally {
    await world.stop();
  }
}

function report(waiting: Record<string, Tick>, hintsPerDueRow: number, burst: Burst): string {
  const least = waiting[String(SIZES[0])] as Tick;
  const row = (cells: readonly string[]) => cells.map((cell) => cell.padStart(14)).join('');
  const ratio = (value: number, to: number) => `(${(value / to).toFixed(2)})`;
  return [
    `One tick with ${OVERDUE} overdue rows; in brackets the ratio to ${SIZES[0]} waiting rows.`,
    'Read units are those that the local DynamoDB reports (ReturnConsumedCapacity).',
    row(['waiting', 'read units', '', 'AWS calls', '', 'ms', '']),
    ...Object.entries(waiting).map(([size, { readUnits, awsCalls, ms }]) =>
      row([
        size,
        readUnits.toFixed(1),
        ratio(readUnits, least.readUnits),
        String(awsCalls),
        ratio(awsCalls, least.awsCalls),
        ms.toFixed(0),
        ratio(ms, least.ms),
      ]),
    ),
    '',
    `Workers behind by ten minutes: ${hintsPerDueRow.toFixed(3)} hints per due row.`,
    `${burst.rows} overdue rows after a purge: hinted in ${burst.ticks} tick(s) by ${burst.messages} messages of ` +
      `${(burst.rows / burst.messages).toFixed(0)} rows, ${burst.awsCalls} AWS calls, ` +
      `${burst.readUnits.toFixed(0)} read units, ${burst.ms.toFixed(0)} ms.`,
  ].join('\n');
}
