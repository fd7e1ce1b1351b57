/// <reference lib="dom" />
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { chromium, type Page } from 'playwright-core';
import { buildConsole } from '../../build/console.ts';
import { createClient } from '../../client/client.ts';
import { startBridge } from '../../local/bridge.ts';
import { synthesize } from '../../local/runtime/synthesize.ts';
import { median } from '../quantile.ts';

export type ConsoleFigures = {
  readonly compressedBytes: number;
  /** One `GET /v1/requests?limit=50`, median. */
  readonly listCallMs: number;
  /** From the navigation, medians. */
  readonly firstPaintMs: number;
  readonly firstRowMs: number;
  readonly framesPerSecond: number;
  /** CPU of the page's main thread for each of these frames, ms: the same however busy the machine is. */
  readonly frameCpuMs: number;
  /** What an empty page has on this machine, at the same time. */
  readonly idleFramesPerSecond: number;
  readonly rows: number;
  /** JavaScript's heap after collection, at even intervals. */
  readonly heapMb: readonly number[];
};

type Options = {
  readonly requests: number;
  readonly minutes: number;
  readonly log: (line: string) => void;
};

const TIMES = 9;
const SAMPLES = 8;

/** Measures the console in Chromium against a bridge whose upstream is away, so that nothing else is at work. */
export async function measureConsole({ requests, minutes, log }: Options): Promise<ConsoleFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'console-'));
  const { bytes: compressedBytes } = await buildConsole(folder);
  rmSync(folder, { recursive: true });
  const bridge = await startBridge({
    templateDir: await synthesize(),
    env: { TOPAZ_BASE_URL: 'http://127.0.0.1:9', ALLOW_LOOPBACK: 'true' },
  });
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
  try {
    const client = createClient({ url: bridge.apiUrl, key: bridge.apiKey });
    log(`registering ${requests} requests ...`);
    const items = Array.from({ length: requests }, (_, i) => ({
      requestId: randomUUID(),
      metadata: { order: String(i), customer: 'Ada' },
    }));
    for await (const { status, error } of client.requests.registerMany(items))
      if (status >= 400) throw new Error(error?.detail);

    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    await context.addInitScript((key) => sessionStorage.setItem('bridge-key', key), bridge.apiKey);
    const page = await context.newPage();
    const url = `${bridge.apiUrl}/console/requests`;
    const calls: number[] = [];
    const paints: number[] = [];
    const firstRows: number[] = [];
    for (let n = 0; n < TIMES; n++) {
      const began = performance.now();
      await client.requests.list().page({ limit: 50 });
      calls.push(performance.now() - began);
      const { paint, row } = await measureLoad(page, url);
      paints.push(paint);
      firstRows.push(row);
    }
    log('scrolling ...');
    const { rows, framesPerSecond, frameCpuMs } = await measureScrolling(page, requests);
    const idleFramesPerSecond = await measureIdle(await context.newPage());
    log(`watching the heap for ${minutes} min ...`);
    const heapMb: number[] = [];
    for (let n = 0; n < SAMPLES; n++) {
      if (n > 0) await pause((minutes * 60_000) / (SAMPLES - 1));
      heapMb.push(await measureHeap(page));
    }
    return {
      compressedBytes,
      listCallMs: median(calls),
      firstPaintMs: median(paints),
      firstRowMs: median(firstRows),
      framesPerSecond,
      frameCpuMs,
      idleFramesPerSecond,
      rows,
      heapMb,
    };
  } finally {
    await browser.close();
    await bridge.stop();
  }
}

async function measureLoad(page: Page, url: string): Promise<{ paint: number; row: number }> {
  await page.goto(url);
  await page.locator('.rows .request-row').first().waitFor();
  return page.evaluate(() => {
    const [paint] = performance.getEntriesByName('first-contentful-paint');
    // A row is seen with the first list's answer, and the frame after it.
    const list = performance
      .getEntriesByType('resource')
      .find(({ name }) => name.includes('/v1/requests?limit'));
    return { paint: paint?.startTime ?? 0, row: (list as PerformanceResourceTiming).responseEnd + 17 };
  });
}

/** Loads all rows, then goes from the top to the end in about five seconds. */
async function measureScrolling(
  page: Page,
  wanted: number,
): Promise<{ rows: number; framesPerSecond: number; frameCpuMs: number }> {
  await page.waitForFunction(
    (count) => {
      const table = document.querySelector('.request-table');
      table?.scrollTo(0, table.scrollHeight);
      return Number(table?.getAttribute('aria-rowcount')) >= count;
    },
    wanted,
    { timeout: 900_000, polling: 100 },
  );
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const cpuMs = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0) * 1000;
  };
  const cpuBefore = await cpuMs();
  const { rows, frames, ms } = await page.evaluate(async () => {
    const table = document.querySelector('.request-table') as HTMLElement;
    const frame = () => new Promise(requestAnimationFrame);
    table.scrollTo(0, 0);
    await frame();
    const step = table.scrollHeight / 300;
    const began = performance.now();
    let frames = 0;
    for (; table.scrollTop + table.clientHeight < table.scrollHeight - 1; frames++) {
      table.scrollBy(0, step);
      await frame();
    }
    return { rows: Number(table.getAttribute('aria-rowcount')), frames, ms: performance.now() - began };
  });
  const frameCpuMs = ((await cpuMs()) - cpuBefore) / frames;
  await session.send('Performance.disable');
  await session.detach();
  return { rows, framesPerSecond: (frames * 1000) / ms, frameCpuMs };
}

async function measureIdle(page: Page): Promise<number> {
  const framesPerSecond = await page.evaluate(async () => {
    const frames = 120;
    const began = performance.now();
    for (let n = 0; n < frames; n++) await new Promise(requestAnimationFrame);
    return (frames * 1000) / (performance.now() - began);
  });
  await page.close();
  return framesPerSecond;
}

async function measureHeap(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  await session.send('Performance.enable');
  const { metrics } = await session.send('Performance.getMetrics');
  await session.detach();
  return (metrics.find(({ name }) => name === 'JSHeapUsedSize')?.value ?? 0) / 1e6;
}
