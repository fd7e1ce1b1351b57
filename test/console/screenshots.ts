/// <reference lib="dom" />
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { chromiumPath, startChromium } from './chromium.ts';
import { type ConsoleWorld, openPage, startConsoleWorld } from './console-world.ts';

const FOLDER = join(import.meta.dirname, '../../docs/console');
const CUSTOMERS = ['Northwind Films', 'Ada Lovelace', 'Studio Ghent', 'Archive of Oslo', 'Kite & Sons'];
const HEIGHT = 760;

/** A job as the simulated upstream takes it: the seconds at which its statuses begin. */
const trace = (processing: number, end: number, last = 'complete') => ({
  statuses: [
    ['requested', 0],
    ['accepted', 3],
    ['initializing', 6],
    ['preprocessing', 10],
    ['processing', processing],
    ...(last === 'complete' ? [['postprocessing', end - 6]] : []),
    [last, end],
  ],
  progress: Array.from({ length: 40 }, (_, i) => [
    processing + ((end - 6 - processing) * i) / 40,
    Math.round(100 * (1 - (1 - i / 40) ** 1.4)),
  ]),
  estimates: { time: [end - 8, end + 12], cost: [8, 10] },
  nodes: 4,
});

/** Jobs at every stage, one of which is followed closely, an endpoint that answers and one that does not. */
async function play({
  client,
  setJob,
  receiverUrl,
}: ConsoleWorld): Promise<{ story: string; failing: string }> {
  await client.endpoints.create({ url: `${receiverUrl}/orders`, description: 'Order service' });
  await client.endpoints.create({
    kind: 'pull',
    description: 'Render farm, behind the firewall',
    events: ['video.stored'],
  });
  const { id: failing } = await client.endpoints.create({
    url: 'http://127.0.0.1:9/hooks',
    description: 'Staging',
    events: ['video.complete', 'video.stored', 'video.failed'],
  });
  const register = async (job: object, order: number) => {
    const requestId = await setJob(job);
    const customer = CUSTOMERS[order % CUSTOMERS.length] ?? '';
    await client.requests.register({ requestId, metadata: { order: String(order), customer } });
    return requestId;
  };
  for (let i = 0; i < 6; i++) await register({ trace: trace(12, 30 + i) }, 2040 + i);
  await register({ trace: { ...trace(12, 28, 'failed'), message: 'The input has no video stream.' } }, 2046);
  const story = await register(
    {
      trace: trace(14, 62),
      padding: 40_000_000,
      faults: [{ at: 'download', kind: 'drip', bytesPerSecond: 4e6 }],
    },
    2047,
  );
  for (let i = 0; i < 9; i++) await register({ trace: trace(14 + i * 3, 240 + i * 30) }, 2048 + i);
  for (;;) {
    const { state, video } = await client.requests.get(story);
    if (state === 'done' && video?.state === 'stored') break;
    if (state === 'active' && !video) await client.requests.poll(story).catch(() => undefined);
    await pause(1_700);
  }
  for (const type of ['video.stored', 'video.failed', 'endpoint.test'] as const)
    await client.endpoints.test(failing, { type });
  await pause(6_000);
  return { story, failing };
}

/** Pictures of the main pages for the documentation, with content of the simulated upstream. */
async function main(): Promise<void> {
  if (!chromiumPath) throw new Error('No Chromium here: install it, or name it by CHROMIUM.');
  mkdirSync(FOLDER, { recursive: true });
  const [world, browser] = await Promise.all([startConsoleWorld(), startChromium()]);
  try {
    const { story, failing } = await play(world);
    const pictures = [
      { name: 'requests', path: '/requests', wait: '.request-row .mono' },
      { name: 'request', path: `/requests/${story}`, wait: 'video', height: 1190 },
      { name: 'request-dark', path: `/requests/${story}`, wait: 'video', height: 1190, dark: true },
      { name: 'request-narrow', path: `/requests/${story}`, wait: 'video', width: 360, height: 1000 },
      { name: 'endpoint', path: `/endpoints/${failing}`, wait: '.log-row' },
      { name: 'overview', path: '/overview', wait: '.chart canvas', height: 900 },
      { name: 'events-dark', path: '/events', wait: '.stream li', dark: true },
      { name: 'reference', path: '/reference#registerRequest', wait: '.call' },
    ];
    for (const { name, path, wait, width = 1180, height = HEIGHT, dark = false } of pictures) {
      const { page } = await openPage(browser, world, path, {
        viewport: { width, height },
        colorScheme: dark ? 'dark' : 'light',
        timezoneId: 'Europe/Berlin',
      });
      await page.locator(wait).first().waitFor();
      if (wait === 'video') {
        await page.locator('video').evaluate((video: HTMLVideoElement) => {
          video.currentTime = 3;
        });
        await page.getByRole('slider').focus();
        for (let i = 0; i < 6; i++) await page.keyboard.press('ArrowRight');
      }
      await pause(1_500);
      const file = join(FOLDER, `${name}.png`);
      await page.screenshot({ path: file });
      console.log(`${file}: ${Math.round(statSync(file).size / 1000)} kB`);
      await page.context().close();
    }
  } finally {
    await browser.close();
    await world.stop();
  }
}

await main();
process.exit(0);
