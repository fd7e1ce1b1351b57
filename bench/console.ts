import { parseArgs } from 'node:util';
import { type ConsoleFigures, measureConsole } from './console/measure.ts';

const usage = `npm run bench:console -- [options]
  --json        one JSON document on standard output
  --requests N  registered requests (default 10000)
  --minutes M   how long the list is left open to watch its memory (default 2)

How heavy and how quick the console is, in Chromium without a window, against the bridge on this machine.`;

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    requests: { type: 'string', default: '10000' },
    minutes: { type: 'string', default: '2' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(usage);
else {
  const figures = await measureConsole({
    requests: Number(values.requests),
    minutes: Number(values.minutes),
    log: (line) => console.error(line),
  });
  console.log(values.json ? JSON.stringify(figures) : report(figures));
  process.exit(0);
}

function report(figures: ConsoleFigures): string {
  const {
    compressedBytes,
    listCallMs,
    firstPaintMs,
    firstRowMs,
    framesPerSecond,
    frameCpuMs,
    idleFramesPerSecond,
    rows,
    heapMb,
  } = figures;
  const ratio = (ms: number) =>
    `${ms.toFixed(0)} ms, ${(ms / listCallMs).toFixed(1)} times one call of the list`;
  return [
    `all files, compressed   ${(compressedBytes / 1000).toFixed(0)} kB`,
    `GET ?limit=50 (median)  ${listCallMs.toFixed(0)} ms`,
    `first contentful paint  ${ratio(firstPaintMs)}`,
    `first row of the list   ${ratio(firstRowMs)}`,
    `scrolling ${rows} rows  ${framesPerSecond.toFixed(0)} frames a second (an empty page: ${idleFramesPerSecond.toFixed(0)}), ${frameCpuMs.toFixed(1)} ms of CPU each`,
    `heap of the open list   ${heapMb.map((mb) => mb.toFixed(1)).join(', ')} MB`,
  ].join('\n');
}
