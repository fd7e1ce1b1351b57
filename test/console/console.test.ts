/// <reference lib="dom" />
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ADMIN_KEY, READ_KEY } from '../support/local-bridge.ts';
import { chromiumPath, startChromium } from './chromium.ts';
import { type ConsoleWorld, openPage, startConsoleWorld } from './console-world.ts';

const SLOW = { timeout: 180_000 };
const MAX_WAIT = { timeout: 60_000, interval: 500 };
const QUICK = {
  statuses: [
    ['processing', 0],
    ['complete', 3],
  ],
  progress: [
    [0, 10],
    [2, 90],
  ],
};
const HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** All rules see each width and each scheme once; the colors are looked at in all of them. */
const LOOKS: readonly { colorScheme: 'light' | 'dark'; width: number; rules?: string[] }[] = [
  { colorScheme: 'light', width: 1280 },
  { colorScheme: 'dark', width: 360 },
  { colorScheme: 'dark', width: 1280, rules: ['color-contrast'] },
  { colorScheme: 'light', width: 360, rules: ['color-contrast'] },
];

if (!chromiumPath) console.log('no Chromium here: the tests of the console are left out');

describe.skipIf(!chromiumPath)('the console, in a browser', () => {
  let world: ConsoleWorld;
  let browser: Browser;
  const open = (path: string, options?: Parameters<typeof openPage>[3]) =>
    openPage(browser, world, path, options);

  beforeAll(async () => {
    [world, browser] = await Promise.all([startConsoleWorld(), startChromium()]);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await world?.stop();
  });

  test('asks for a key, refuses a wrong one in words, and keeps it for the tab alone', SLOW, async () => {
    const { page, requested } = await open('/requests', { key: null });
    await page.getByLabel('API key').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('This key is not known').waitFor();
    await page.getByLabel('API key').fill(ADMIN_KEY);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Requests' }).waitFor();
    await page.getByText('No requests yet').waitFor();
    await page.reload();
    await page.getByText('No requests yet').waitFor();
    expect(await page.evaluate(() => [localStorage.length, document.cookie])).toEqual([0, '']);
    expect(
      requested.filter((url) => url.includes(ADMIN_KEY) || !url.startsWith(world.bridge.apiUrl)),
    ).toEqual([]);
    await page.context().close();
  });

  test('a request that is registered in the page becomes a playing video', SLOW, async () => {
    const requestId = await world.setJob({ trace: { ...QUICK, message: HOSTILE } });
    const { page, complaints } = await open('/requests');
    await page.getByRole('button', { name: 'Register a request' }).click();
    await page.getByLabel('Request id').fill(requestId);
    await page.getByLabel('Metadata').fill(`order: 42\nnote: ${HOSTILE}`);
    await page.getByRole('dialog').getByRole('button', { name: 'Register' }).click();
    await page.getByRole('heading', { name: requestId }).waitFor();
    await page.getByText(HOSTILE).first().waitFor();

    await page.reload();
    // The schedule would wait for longer than the job takes.
    const poll = page.getByRole('button', { name: 'Poll now' });
    await vi.waitFor(async () => {
      if (await poll.isVisible()) await poll.click({ timeout: 1_000 }).catch(() => undefined); // gone meanwhile
      expect(await page.locator('video').count()).toBe(1);
    }, MAX_WAIT);
    await page.locator('video').evaluate((video: HTMLVideoElement) => {
      video.muted = true;
      return video.play();
    });
    await page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 0.3);

    await page.getByText(`Topaz says: ${HOSTILE}`).waitFor();

    const story = page.getByRole('slider', { name: 'Timeline' });
    await story.focus();
    await page.keyboard.press('Home');
    expect(await story.getAttribute('aria-valuetext')).toContain('Registered');
    await page.keyboard.press('End');
    expect(await story.getAttribute('aria-valuetext')).not.toContain('Registered');
    await page.getByText('All that happened').click();
    await page.getByText('video.stored').first().waitFor();
    expect(await page.title()).toContain('Webhook bridge');
    // The job may end just before a poll is asked for.
    expect(complaints.filter((each) => !each.includes('409'))).toEqual([]);
    await page.context().close();
  });

  test('an endpoint is created, tested, broken, mended and replayed', SLOW, async () => {
    const { page, complaints } = await open('/endpoints');
    await page.getByRole('button', { name: 'Callbacks of requests' }).click();
    await page.getByText('No callbacks').waitFor();
    await page.getByRole('link', { name: 'Endpoints' }).click();
    await page.getByText('No endpoints yet').waitFor();
    await page.getByRole('button', { name: 'Create an endpoint' }).click();
    await page.getByRole('textbox', { name: 'URL' }).fill(`${world.receiverUrl}/hooks`);
    await page.getByLabel('Description').fill('The shop');
    await page.getByLabel('Headers').fill('x-shop: of Ada');
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    expect(await page.locator('.secret code').textContent()).toMatch(/^whsec_/);
    await page.getByRole('button', { name: 'Python' }).click();
    await page.getByText('from standardwebhooks').waitFor();
    await page.getByRole('button', { name: 'I have kept it' }).click();
    await page.getByRole('heading', { name: 'The shop' }).waitFor();
    await page.getByText('x-shop (their values are never shown)').waitFor();
    expect(await page.content()).not.toMatch(/whsec_|of Ada/);

    await page.getByRole('button', { name: 'Send a test' }).click();
    await page.getByRole('dialog').getByLabel('Type of event').selectOption('video.stored');
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByRole('dialog').getByText('The answer was 204').waitFor({ timeout: 60_000 });

    await page.getByRole('button', { name: 'To another URL' }).click();
    await page.getByRole('dialog').getByLabel('URL').fill(`${world.receiverUrl}/elsewhere`);
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByRole('dialog').locator('.note .badge', { hasText: '204' }).waitFor({ timeout: 60_000 });
    await page.getByRole('dialog').getByLabel('URL').fill('http://127.0.0.1:9/');
    await page.getByRole('button', { name: 'Send another' }).click();
    await page.getByRole('dialog').getByText('connect_refused').waitFor({ timeout: 60_000 });
    await page.getByRole('button', { name: 'To this endpoint' }).click();

    world.receiver.status = 410;
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByRole('dialog').getByText('410').first().waitFor({ timeout: 60_000 });
    await page.keyboard.press('Escape');
    await page.locator('.log-row').filter({ hasText: '410' }).first().click();
    await page.getByText('Why it has not arrived.').waitFor();
    await page.getByText('so says the receiver').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('disabled', { exact: false }).first().waitFor();

    const log = page.locator('.log-row');
    await page.getByLabel('Status code').fill('4xx');
    await vi.waitFor(async () => expect(await log.count()).toBe(1), MAX_WAIT);
    await page.getByLabel('Type of event').selectOption('endpoint.*');
    await page.getByText('No delivery matches').waitFor();
    await page.reload();
    await page.getByText('No delivery matches').waitFor();
    await page.getByRole('button', { name: 'Show all' }).click();
    await vi.waitFor(async () => expect(await log.count()).toBe(2), MAX_WAIT);

    world.receiver.status = 204;
    const before = world.receiver.received;
    await page.getByRole('button', { name: 'Enable' }).click();
    await page.getByRole('button', { name: 'Replay' }).click();
    await page.getByRole('button', { name: 'All that have ended' }).click();
    await page.getByText(/\d+ deliver\w+ will be sent again/).waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Replay' }).click();
    await page.getByText(/^Done: /).waitFor();
    expect(world.receiver.received).toBeGreaterThan(before);
    // Two tests of URLs follow each other too soon, so the client sends the second one again.
    expect(complaints.filter((each) => !/ 429 .*\/test$/.test(each))).toEqual([]);
    await page.context().close();
  });

  test('an id that is not tracked can be registered on its page, and a text that is no id cannot', async () => {
    const { page } = await open(`/requests/${randomUUID()}`);
    await page.getByText('The bridge does not track this request').waitFor();
    expect(await page.getByRole('button', { name: 'Register it' }).count()).toBe(1);
    await page.goto(page.url().replace(/[^/]*$/, 'order-42'));
    await page.getByText('This is not the id of a request').waitFor();
    expect(await page.getByRole('button', { name: 'Register it' }).count()).toBe(0);
    await page.context().close();
  });

  test('a key that reads sees everything but buttons', SLOW, async () => {
    const { items } = await world.client.requests.list().page({ limit: 1 });
    const { page } = await open('/requests', { key: READ_KEY });
    await page.getByText('guest (read only)').waitFor();
    await page.getByRole('link', { name: items[0]?.requestId }).click();
    await page.getByRole('heading', { name: 'Timeline' }).waitFor();
    const names = await page.getByRole('button').allTextContents();
    expect(names.filter((name) => /poll|stop|purge|restart|retry/i.test(name))).toEqual([]);
    expect(await page.getByRole('button', { name: 'Copy curl' }).count()).toBe(1);
    await page.context().close();
  });

  test('the overview shows what the doctor finds wrong, and what to do', SLOW, async () => {
    world.bridge.setFaults(({ operation }) =>
      operation === 'HeadBucket'
        ? { kind: 'error', status: 404, code: 'NotFound', message: 'gone' }
        : undefined,
    );
    const { page } = await open('/overview');
    const needsYou = page.locator('.attention');
    await needsYou.getByText('The bucket of the videos is gone.').waitFor();
    await needsYou.getByText('Create it again').waitFor();
    await page.locator('.checks').getByText('queues answer').waitFor();
    world.bridge.setFaults(() => undefined);
    await page.reload();
    await page.locator('.checks').getByText('The bucket of the videos answers.').waitFor();
    expect(await needsYou.getByText('is gone').count()).toBe(0);
    await page.context().close();
  });

  test('axe finds nothing serious on any page, light and dark, wide and narrow', SLOW, async () => {
    const [{ requestId } = { requestId: '' }] = (await world.client.requests.list({ state: 'done' }).page())
      .items;
    const [{ id } = { id: '' }] = (await world.client.endpoints.list().page()).items;
    const pages: { path: string; content: string; dialogs?: string[] }[] = [
      { path: '/requests', content: '.request-row', dialogs: ['Register a request', 'Paste ids'] },
      { path: `/requests/${requestId}`, content: '.story svg', dialogs: ['Purge'] },
      { path: '/endpoints', content: '.card', dialogs: ['Create an endpoint'] },
      {
        path: `/endpoints/${id}`,
        content: '.log-row',
        dialogs: ['Send a test', 'Replay', 'Edit', 'video.stored'],
      },
      { path: '/overview', content: '.chart canvas' },
      { path: '/events', content: '.catalog li' },
      { path: '/reference', content: '.call' },
    ];
    const found: string[] = [];
    const look = async (page: Page, what: string, looks = LOOKS, within = 'html') => {
      for (const { colorScheme, width, rules } of looks) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        const violations = await axe(page, { rules, within });
        found.push(...violations.map((each) => `${what} ${colorScheme} ${width}: ${each}`));
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (overflow > 0) found.push(`${what} ${width}: ${overflow} px wider than the window`);
      }
    };
    const { page } = await open('/requests');
    for (const { path, content, dialogs = [] } of pages) {
      await page.goto(`${world.bridge.apiUrl}/console${path}`);
      await page.locator(content).first().waitFor({ state: 'attached' });
      await look(page, path);
      for (const name of dialogs) {
        await page.getByRole('button', { name }).first().click();
        await page.getByRole('dialog').locator('button').nth(1).waitFor();
        await look(page, `${path}, ${name}`, LOOKS.slice(0, 2), 'dialog');
        await page.keyboard.press('Escape');
      }
    }
    await page.context().close();
    const signedOut = await open('/requests', { key: null });
    found.push(...(await axe(signedOut.page)));
    await signedOut.page.context().close();
    expect(found).toEqual([]);
  });

  test('several batches of pasted ids are registered, and what is no id is told', SLOW, async () => {
    // No job of the simulation has such an id, so they are seldom polled.
    const ids = Array.from({ length: 300 }, () => `00000000${randomUUID().slice(8)}`);
    const { page, complaints } = await open('/requests');
    await page.getByRole('button', { name: 'Paste ids' }).click();
    await page
      .getByLabel('Ids, or a text')
      .fill(['id,name', ...ids.map((id) => `${id},x`), ids[0]].join('\n'));
    await page.getByText('300 ids found, 1 repetition left out, 1 line without an id').waitFor();
    await page.getByRole('button', { name: 'Register 300 requests' }).click();
    await page.getByText('All 300 ids: 300 registered').waitFor({ timeout: 60_000 });
    await page.getByRole('button', { name: 'Done' }).last().click();
    await page.getByRole('searchbox').fill(ids[200]?.slice(0, 30) ?? '');
    await page.getByRole('link', { name: ids[200] }).waitFor();
    await page.getByText('1 request', { exact: true }).waitFor();
    await page.getByRole('searchbox').fill('no such request');
    await page.getByRole('button', { name: 'Show all requests' }).click();
    await vi.waitFor(async () => expect(await page.getByRole('searchbox').inputValue()).toBe(''), MAX_WAIT);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test(
    'the list of them is found again where it was left, and the focus is where work goes on',
    SLOW,
    async () => {
      const { page, complaints } = await open('/requests');
      const focused = () =>
        page.evaluate(() => document.activeElement?.getAttribute('name') ?? document.activeElement?.id);
      const table = page.getByRole('table', { name: 'Requests' });
      const scrollTop = () => table.evaluate((element) => element.scrollTop);
      const register = page.getByRole('button', { name: 'Register a request' });
      await register.click();
      await vi.waitFor(async () => expect(await focused()).toBe('requestId'), MAX_WAIT);
      await page.keyboard.press('Escape');
      await vi.waitFor(
        async () => expect(await register.evaluate((it) => it === document.activeElement)).toBe(true),
        MAX_WAIT,
      );
      await vi.waitFor(async () => {
        await table.evaluate((element) => element.scrollTo(0, 8_000));
        expect(await scrollTop()).toBe(8_000);
      }, MAX_WAIT);
      const row = page.getByRole('row').nth(12);
      const { x = 0, y = 0, width = 0, height = 0 } = (await row.boundingBox()) ?? {};
      await page.mouse.click(x + width / 2, y + height / 2);
      await page.getByRole('heading', { name: 'Timeline' }).waitFor();
      expect(await focused()).toBe('main');
      await page.goBack();
      await vi.waitFor(async () => expect(await scrollTop()).toBe(8_000), MAX_WAIT);
      expect(complaints).toEqual([]);
      await page.context().close();
    },
  );
});

/** `rules`: default all; `within`: a selector of what is looked at, default the whole page. */
type AxeOptions = { readonly rules?: readonly string[] | undefined; readonly within?: string };

/** What axe-core finds that is serious or critical. Run by the debugger's protocol, since the page runs no foreign script. */
async function axe(page: Page, { rules, within = 'html' }: AxeOptions = {}): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE);
  const violations = await page.evaluate(
    async ({ only, context }) => {
      type Result = { violations: { id: string; impact: string; nodes: { html: string }[] }[] };
      const { axe } = window as unknown as {
        axe: { run(context: string, options: object): Promise<Result> };
      };
      return (await axe.run(context, only ? { runOnly: only } : {})).violations;
    },
    { only: rules, context: within },
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id} in ${nodes[0]?.html.slice(0, 120)}`);
}
