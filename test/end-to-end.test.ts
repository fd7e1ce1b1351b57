import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ApiClient } from '../local/api-client.ts';
import { harsh } from '../local/aws/behavior.ts';
import { type Bridge, startBridge } from '../local/bridge.ts';
import { type ReceivedWebhook, startReceiver } from '../local/receiver.ts';
import { synthesize } from '../local/runtime/synthesize.ts';
import { startTopaz } from '../local/topaz/server.ts';
import { generatedSha256 } from '../local/topaz/video.ts';

const TOPAZ_KEY = randomUUID();
const MAX_WAIT = { timeout: 210_000, interval: 250 };
const LARGE = 20_000_000;

/** What each job does, and what its receiver must have been told in the end. */
const JOBS = {
  complete: { trace: trace('complete'), told: ['video.complete', 'video.stored'] },
  large: { trace: trace('complete'), bytes: LARGE, told: ['video.complete', 'video.stored'] },
  failed: { trace: trace('failed'), told: ['video.failed'] },
  canceled: { trace: trace('canceled'), told: ['video.canceled'] },
  unknownStatus: {
    trace: { statuses: [['complete', 0]] },
    // Until its event has come: an answer that is polled while a permission is denied is lost.
    faults: [{ at: 'status', kind: 'unknownStatus' }],
    told: ['video.status_unrecognized', 'video.stored'],
  },
  lateDownload: {
    trace: trace('complete'),
    faults: [{ at: 'status', kind: 'noDownload', times: 1 }],
    told: ['video.complete', 'video.stored'],
  },
  notFound: { faults: [{ at: 'status', kind: 'http', status: 404 }], told: ['video.lost'] },
};
type Job = keyof typeof JOBS;

/** A job that ends after two seconds, in the status after which the bridge asks again soonest. */
function trace(last: string) {
  return {
    statuses: [
      ['postprocessing', 0],
      [last, 2],
    ],
    progress: [[0, 99]],
  };
}

let topaz: Awaited<ReturnType<typeof startTopaz>>;
let receiver: Awaited<ReturnType<typeof startReceiver>>;
let bridge: Bridge;
let api: ApiClient;
let secret: string;
const received: ReceivedWebhook[] = [];
const refusedByIam: string[] = [];
let messages = 0;

beforeAll(async () => {
  topaz = await startTopaz({ apiKey: TOPAZ_KEY });
  receiver = await startReceiver({ secrets: () => [], onWebhook: (webhook) => received.push(webhook) });
  bridge = await startBridge({
    templateDir: await synthesize(),
    tickSeconds: 1,
    env: { TOPAZ_BASE_URL: topaz.url, ALLOW_LOOPBACK: 'true', NOT_FOUND_MINUTES: '0.02' },
    secrets: { TOPAZ_API_KEY_SECRET_ARN: TOPAZ_KEY },
    log: ({ line }) => {
      if (/^front door: User.* is not authorized to perform/.test(line)) refusedByIam.push(line);
    },
    aws: { ...harsh, iamDelayMs: 10_000 },
    messageFault: () => (++messages % 3 === 0 ? 'lose' : undefined),
  });
  console.log(`seed ${bridge.seed}`);
  api = new ApiClient(bridge.apiUrl, bridge.apiKey);
  ({ secret } = await vi.waitFor(() => api.get<{ secret: string }>('/v1/callback-secret'), MAX_WAIT));
}, 120_000);

afterAll(async () => {
  await bridge?.stop();
  await receiver?.close();
  await topaz?.close();
});

type EventView = { id: string; type: string; data: { sequence: number; status?: string } };
type RequestView = {
  state: string;
  polls: number;
  status: string;
  sequence: number;
  video: { state: string; key: string } | null;
};

async function setUp(requestId: string, script: object): Promise<void> {
  const body = JSON.stringify({ requestId, ...script });
  const response = await fetch(`${topaz.url}/_sim/jobs`, { method: 'POST', body });
  expect(response.status).toBe(201);
}

async function register(job: Job): Promise<string> {
  const requestId = randomUUID();
  const { told: _, ...script } = JOBS[job];
  await setUp(requestId, script);
  const callbackUrl = `${receiver.url}/hooks/${job}`;
  await vi.waitFor(() => api.post('/v1/requests', { requestId, callbackUrl, metadata: { job } }), MAX_WAIT);
  return requestId;
}

/** Orders two polls by the API: by its schedule the bridge would ask twice in a minute. */
async function pollTwiceMore(requestId: string): Promise<void> {
  for (const polls of [1, 2]) {
    await vi.waitFor(async () => {
      expect(await api.get<RequestView>(`/v1/requests/${requestId}`)).toMatchObject({ polls });
    }, MAX_WAIT);
    await vi.waitFor(() => api.post(`/v1/requests/${requestId}/poll`, {}), MAX_WAIT);
  }
}

const eventsOf = async (requestId: string) =>
  (await api.get<{ items: EventView[] }>(`/v1/requests/${requestId}/events?limit=100`)).items;

async function videoOf(requestId: string): Promise<Buffer> {
  const link = await vi.waitFor(async () => {
    const response = await fetch(`${bridge.apiUrl}/v1/requests/${requestId}/video`, {
      headers: { authorization: `Bearer ${bridge.apiKey}` },
      redirect: 'manual',
    });
    expect(response.status).toBe(302);
    return response.headers.get('location') ?? '';
  }, MAX_WAIT);
  return downloaded(link);
}

/** Asks again where AWS answers 503, as on a bad day any client must. */
async function downloaded(url: string): Promise<Buffer> {
  const answer = await vi.waitFor(async () => {
    const response = await fetch(url);
    expect(response.status).toBe(200);
    return response;
  }, MAX_WAIT);
  return Buffer.from(await answer.arrayBuffer());
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

test('on a bad day of AWS, with every third message lost and all queues purged once, every outcome is sent in full', {
  timeout: 300_000,
}, async () => {
  const ids = {} as Record<Job, string>;
  await Promise.all(
    (Object.keys(JOBS) as Job[]).map(async (job) => {
      ids[job] = await register(job);
    }),
  );
  await vi.waitFor(() => expect(received.length).toBeGreaterThan(0), MAX_WAIT);
  await bridge.purgeQueues();
  await pollTwiceMore(ids.notFound);
  await vi.waitFor(async () => expect(await eventsOf(ids.unknownStatus)).toHaveLength(1), MAX_WAIT);
  await setUp(ids.unknownStatus, { trace: JOBS.unknownStatus.trace });
  await vi.waitFor(() => api.post(`/v1/requests/${ids.unknownStatus}/poll`, {}), MAX_WAIT);

  const eventsById: Record<string, EventView[]> = {};
  await vi.waitFor(async () => {
    for (const requestId of Object.values(ids)) {
      const { state, sequence } = await api.get<RequestView>(`/v1/requests/${requestId}`);
      expect(state).toBe('done');
      const told = new Set(received.map((webhook) => webhook.headers['webhook-id']));
      const events = await eventsOf(requestId);
      expect(events).toHaveLength(sequence); // the list may lag
      for (const event of events) expect(told).toContain(event.id);
      eventsById[requestId] = events;
    }
  }, MAX_WAIT);

  for (const [job, requestId] of Object.entries(ids) as [Job, string][]) {
    const events = eventsById[requestId] ?? [];
    expect(events.map((event) => event.data.sequence)).toEqual(events.map((_, i) => i + 1));
    expect(events.map((event) => event.type)).toEqual(expect.arrayContaining(JOBS[job].told));
    expect(events.filter((event) => event.type === 'video.status_unrecognized').length).toBeLessThan(2);

    const webhooks = received.filter((webhook) => webhook.path === `/hooks/${job}`);
    expect(new Set(webhooks.map((webhook) => webhook.headers['webhook-id']))).toEqual(
      new Set(events.map((event) => event.id)),
    );
    for (const { rawBody, headers } of webhooks) {
      const body = new Webhook(secret).verify(rawBody, headers as Record<string, string>) as EventView;
      expect(body).toMatchObject({ id: headers['webhook-id'], data: { requestId, metadata: { job } } });
    }
  }

  const source = sha256(readFileSync(new URL('../local/topaz/video.mp4', import.meta.url)));
  for (const job of ['complete', 'unknownStatus', 'lateDownload'] as const) {
    expect(sha256(await videoOf(ids[job]))).toBe(source);
  }
  const large = await videoOf(ids.large);
  expect(large).toHaveLength(LARGE);
  expect(sha256(large)).toBe(await generatedSha256(ids.large, LARGE));

  const stored = received.find(
    (webhook) => webhook.path === '/hooks/large' && webhook.rawBody.includes('video.stored'),
  );
  const { data } = JSON.parse(stored?.rawBody ?? '{}') as { data: { video: { url: string; size: number } } };
  expect(await downloaded(data.video.url)).toHaveLength(data.video.size);

  expect(refusedByIam).toEqual([]);
});
