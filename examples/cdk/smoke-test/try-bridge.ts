import { createHash, randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import type { BridgeEvent, Client, VideoRequest } from '../../../client/client.ts';

/** A webhook as the receiver got it. */
export type Received = {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** ms since the epoch. */
  readonly receivedAt: number;
};

export type SmokeTestOptions = {
  readonly bridge: Client;
  readonly callbackUrl: string;
  /** All webhooks of a request so far. */
  readonly received: (requestId: string) => Promise<readonly Received[]>;
  /** The video that the stand-in for Topaz hands out. */
  readonly video: Uint8Array;
  readonly say: (line: string) => void;
  readonly sleep: (ms: number) => Promise<unknown>;
  /** When the jobs began, ms since the epoch; now by default. */
  readonly jobsBeganMs?: number;
};

/** The jobs take half a minute; a bridge that was just deployed also starts its functions and waits for its tick, ms. */
const MAX_WAIT_MS = 5 * 60_000;
const LOOK_EVERY_MS = 2_000;
/** Between signature and receipt, as Standard Webhooks has it. */
const TOLERANCE_S = 300;

/**
 * Tries a bridge between the stand-in for Topaz and the receiver of this folder, as a user would: one job that ends
 * with a video, and one that fails.
 *
 * @throws Error that says which promise is broken
 */
export async function tryBridge(options: SmokeTestOptions): Promise<void> {
  const { bridge, callbackUrl, say, jobsBeganMs = Date.now() } = options;
  await noFault(options);
  say('ok  the doctor finds no fault');

  const [good, bad] = [jobId(jobsBeganMs, '0'), jobId(jobsBeganMs, 'f')];
  for (const requestId of [good, bad])
    await bridge.requests.register({ requestId, callbackUrl, metadata: { from: 'smoke test' } });
  say(`ok  ${good} and ${bad} are registered`);

  const video = await ended(options, good, 'complete').then((request) => request.video);
  if (video?.state !== 'stored')
    throw new Error(`The video of ${good} is ${video?.state ?? 'missing'}, not stored.`);
  await sameVideo(options, (await bridge.requests.video(good)).url);
  say(`ok  one ended complete, and its video is stored as ${video.key}, byte for byte`);
  const { message } = await ended(options, bad, 'failed');
  say(`ok  the other one failed: ${message}`);

  const { secret } = await bridge.callbackSecret.get();
  for (const requestId of [good, bad]) {
    const events = await eventsOf(options, requestId);
    const webhooks = await allWebhooks(options, requestId, events);
    for (const webhook of webhooks) verify(secret, webhook);
    say(`ok  ${requestId}: ${events.map(({ type }) => type).join(', ')}`);
    say(`    numbered without a gap, all received and signed, ${delay(events, webhooks)} ms later at most`);
    const link = webhooks.map(linkIn).find((url) => url !== undefined);
    if (link) await sameVideo(options, link);
    if (link) say('ok  the link in video.stored gives the video');
  }

  for (const requestId of [good, bad]) await bridge.requests.stop(requestId, { purge: true });
  say('ok  both are purged');
}

/** Asks again while there are faults: just after a deployment, an alarm that missing data raises may ring. */
async function noFault(options: SmokeTestOptions): Promise<void> {
  const { bridge, say } = options;
  let said = '';
  await within(options, 'the doctor finds no fault', async () => {
    const { checks } = await bridge.doctor();
    const faults = checks
      .filter(({ state }) => state === 'failed')
      .map(({ name, detail, remedy = '' }) => `    a fault of ${name}: ${detail} ${remedy}`)
      .join('\n');
    if (faults !== '' && faults !== said) say(faults);
    said = faults;
    return faults === '' || undefined;
  });
}

/** A UUID of version 7; its last digit tells the stand-in for Topaz how the job ends. */
function jobId(beganMs: number, lastDigit: string): string {
  const hex = beganMs.toString(16).padStart(12, '0') + randomBytes(10).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 31)}${lastDigit}`;
}

async function ended(options: SmokeTestOptions, requestId: string, status: string): Promise<VideoRequest> {
  const request = await within(options, `${requestId} ends`, async () => {
    const found = await options.bridge.requests.get(requestId);
    return found.state === 'active' ? undefined : found;
  });
  if (request.state !== 'done' || request.status !== status)
    throw new Error(`${requestId} is ${request.state} with ${request.status}, not done with ${status}.`);
  return request;
}

/** Fetches `url` as a browser would. */
async function sameVideo({ video }: SmokeTestOptions, url: string): Promise<void> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`The video's link answered ${response.status}.`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (sha256(bytes) !== sha256(video)) throw new Error('The stored video differs from its source.');
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function eventsOf({ bridge }: SmokeTestOptions, requestId: string): Promise<BridgeEvent[]> {
  const events: BridgeEvent[] = [];
  for await (const event of bridge.requests.events(requestId)) events.push(event);
  const numbers = events.map(({ data }) => data.sequence);
  if (numbers.length === 0 || numbers.some((number, i) => number !== i + 1))
    throw new Error(`The events of ${requestId} are numbered ${numbers.join(', ')}.`);
  return events;
}

/** What was received of a request, once no event is missing. */
async function allWebhooks(
  options: SmokeTestOptions,
  requestId: string,
  events: readonly BridgeEvent[],
): Promise<readonly Received[]> {
  return within(options, `all webhooks of ${requestId} arrive`, async () => {
    const webhooks = await options.received(requestId);
    const ids = new Set(webhooks.map(({ headers }) => headers['webhook-id']));
    return events.every(({ id }) => ids.has(id)) ? webhooks : undefined;
  });
}

/** By the rules of https://www.standardwebhooks.com/. The library's own check wants the present time. */
function verify(secret: string, { headers, body, receivedAt }: Received): void {
  const id = headers['webhook-id'] ?? '';
  const at = Number(headers['webhook-timestamp']);
  const signature = new Webhook(secret).sign(id, new Date(at * 1000), body);
  if (!headers['webhook-signature']?.split(' ').includes(signature))
    throw new Error(`The signature of ${id} does not fit.`);
  if (Math.abs(receivedAt / 1000 - at) > TOLERANCE_S)
    throw new Error(`${id} was received ${Math.round(receivedAt / 1000 - at)} s after it was signed.`);
}

/** How long after their events the first webhooks arrived, at most, ms. */
function delay(events: readonly BridgeEvent[], webhooks: readonly Received[]): number {
  const delays = events.map(({ id, timestamp }) => {
    const receipts = webhooks.filter(({ headers }) => headers['webhook-id'] === id);
    return Math.min(...receipts.map(({ receivedAt }) => receivedAt)) - Date.parse(timestamp);
  });
  return Math.max(...delays);
}

/** The URL of the video, in an event that has one. */
function linkIn({ body }: Received): string | undefined {
  return (JSON.parse(body) as { data: { video?: { url?: string } } }).data.video?.url;
}

/** What `look` finds, as soon as it finds something. Throws when it takes too long. */
async function within<T>(
  { sleep }: SmokeTestOptions,
  what: string,
  look: () => Promise<T | undefined>,
): Promise<T> {
  for (let left = MAX_WAIT_MS; left > 0; left -= LOOK_EVERY_MS) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(LOOK_EVERY_MS);
  }
  throw new Error(`It takes more than ${MAX_WAIT_MS / 60_000} minutes until ${what}.`);
}
