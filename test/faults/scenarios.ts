import { createTable } from '../../lambdas/adapters/dynamodb/table.ts';
import type { RequestRow } from '../../lambdas/domain/requests/request.ts';
import { requestKey } from '../../lambdas/domain/rows.ts';
import { LANES } from '../../lambdas/domain/work.ts';
import { eventWrites } from '../../lambdas/rows/outbox.ts';
import { generatedSha256 } from '../../local/topaz/video.ts';
import type { Bridge } from '../chaos/bridge.ts';
import { type Job, PART_BYTES } from '../chaos/upstream.ts';
import type { Made, Tracked } from '../chaos/users.ts';

/** A story with the bridge in which any process may die; it ends when what it began is done, if none died. */
export type Scenario = (bridge: Bridge) => Promise<void>;

const MINUTE = 60_000;

/** A job that is complete within a minute. */
function job({ simulation }: Bridge, bytes = 1_000, faults: Job['faults'] = []): Job {
  const requestId = simulation.random.uuid();
  const statuses = [
    ['requested', 0],
    ['processing', 20],
    ['complete', 40],
  ] as const;
  return { requestId, bytes, sha256: generatedSha256(requestId, bytes), statuses, faults, isOrderly: true };
}

const video = ['video.*'];
const sleep = ({ simulation }: Bridge, ms: number) => simulation.sleep(ms);

/** A request without a copy, tracked to its end. */
async function track(bridge: Bridge, callback = false) {
  const tracked = await bridge.users.register({ job: job(bridge), copy: false, callback });
  await sleep(bridge, 3 * MINUTE);
  return tracked;
}

/** Waits until a request's video is in a state; a process that froze holds it up. */
async function untilVideoIs(bridge: Bridge, state: string, { job: { requestId } }: Tracked): Promise<void> {
  for (let looks = 0; looks < 40; looks++) {
    await sleep(bridge, MINUTE);
    const { body } = await bridge.api.call('GET', `/v1/requests/${requestId}`);
    if (body.video?.state === state) return;
  }
  throw new Error(`the video is never ${state}`);
}

async function copy(bridge: Bridge, bytes: number, faults: Job['faults'] = []): Promise<void> {
  await bridge.users.makeEndpoint('receiver-a', { filter: video, ordered: false });
  await bridge.users.register({ job: job(bridge, bytes, faults), copy: true, callback: false });
  await sleep(bridge, 5 * MINUTE);
}

/** Adds events that were not delivered yet, as many polls would, and sends no hint of them. */
async function addProgress({ simulation, world, dynamodb }: Bridge, requestId: string, count: number) {
  const table = createTable(dynamodb, world.tableName);
  const source = { kind: 'request', requestId } as const;
  await simulation.call('add events', { there: 1, back: 1 }, async () => {
    for (let left = count; left > 0; left -= 50) {
      const last = (await table.get<RequestRow>(requestKey(requestId))) as RequestRow;
      const data = { status: last.status, progress: 100 };
      const drafts = Array.from({ length: Math.min(left, 50) }, () => ({
        type: 'progress.updated' as const,
        data,
        numbered: false as const,
      }));
      const { writes, counters } = eventWrites(source, last, drafts, simulation.now);
      await table.transact([...writes, { update: requestKey(requestId), set: counters }]);
    }
  });
}

/** Fetches and acknowledges what waits for a client, until it has had every event; a process that died holds some up. */
async function fetchAll(bridge: Bridge, endpoint: Made, { job }: Tracked, unnumbered = 0): Promise<void> {
  const fetched = new Set<string>();
  for (let looks = 0; looks < 20; looks++) {
    await fetchSome(bridge, endpoint, fetched);
    const { body } = await bridge.api.call('GET', `/v1/requests/${job.requestId}`);
    if (body.state === 'done' && fetched.size >= body.sequence + unnumbered) return;
    await sleep(bridge, MINUTE);
  }
}

/** Fetches and acknowledges all that waits for a client now. */
async function fetchSome(
  { api, receivers, simulation }: Bridge,
  { id, url }: Made,
  fetched: Set<string>,
): Promise<void> {
  for (;;) {
    const { body } = await api.call('GET', `/v1/endpoints/${id}/messages`);
    const items = body.items as { headers: Record<string, string>; body: string }[];
    if (items.length === 0) return;
    const ids = items.map(({ headers }) => headers['webhook-id'] ?? '');
    await expectStatus(api.call('POST', `/v1/endpoints/${id}/messages/ack`, { ids }), 200);
    for (const each of ids) fetched.add(each);
    for (const { headers, body: text } of items) {
      receivers.received.push({ at: simulation.now, url, headers, body: text, answer: 200 });
    }
  }
}

async function expectStatus(
  answer: Promise<{ status: number; body: unknown }>,
  wanted: number,
): Promise<void> {
  const { status, body } = await answer;
  if (status !== wanted) throw new Error(`answered ${status}, not ${wanted}: ${JSON.stringify(body)}`);
}

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'a request is registered, polled and told to an endpoint and a callback': async (bridge) => {
    await bridge.users.makeEndpoint('steady', { steady: true });
    await track(bridge, true);
  },

  'a batch is registered': async (bridge) => {
    const { users, api, setUpJob } = bridge;
    await users.makeEndpoint('receiver-a', { filter: video, ordered: false });
    const all = [job(bridge), job(bridge), job(bridge)];
    for (const each of all) {
      await setUpJob(each);
      users.requests.push({
        job: each,
        startedAt: bridge.simulation.now,
        copy: false,
        commands: [],
        callbacks: [],
        registering: 0,
      });
    }
    const items = all.map(({ requestId }) => ({ requestId, copy: false }));
    await expectStatus(api.call('POST', '/v1/requests/batch', { items }), 200);
    await sleep(bridge, 3 * MINUTE);
  },

  'a small video is copied': (bridge) => copy(bridge, 1_000),
  'a large video is copied in segments': (bridge) => copy(bridge, 3 * PART_BYTES + 1),
  'a video is copied in a stream': (bridge) =>
    copy(bridge, 2 * PART_BYTES, [{ at: 'download', kind: 'noRange' }]),

  'more than a hundred deliveries go out at once': async (bridge) => {
    const { users, simulation } = bridge;
    for (const host of ['receiver-a', 'receiver-b', 'receiver-c']) {
      await users.makeEndpoint(host, { filter: video, ordered: false });
    }
    const all = Array.from({ length: 12 }, () =>
      users.register({ job: job(bridge), copy: false, callback: false }),
    );
    await Promise.all(all);
    await simulation.sleep(4 * MINUTE);
  },

  'a delivery fails and is tried again': async (bridge) => {
    const { users, receivers } = bridge;
    await users.makeEndpoint('receiver-a', { filter: video, ordered: false });
    receivers.setMood('receiver-a.example', 'server errors');
    await track(bridge);
    receivers.setMood('receiver-a.example', 'well');
    await sleep(bridge, 10 * MINUTE);
  },

  'a delivery fails for its whole schedule': async (bridge) => {
    const { users, receivers } = bridge;
    await users.makeEndpoint('receiver-a', { filter: ['video.complete'], ordered: false });
    receivers.setMood('receiver-a.example', 'gone');
    // The rest of the schedule passes while all comes to its end.
    await track(bridge);
  },

  'an ordered endpoint fails at first': async (bridge) => {
    const { users, receivers } = bridge;
    await users.makeEndpoint('receiver-a', { filter: video, ordered: true });
    receivers.setMood('receiver-a.example', 'gone');
    await track(bridge);
    receivers.setMood('receiver-a.example', 'well');
    await sleep(bridge, 10 * MINUTE);
  },

  'an endpoint is disabled and enabled again': async (bridge) => {
    const { users, api } = bridge;
    const { id } = await users.makeEndpoint('receiver-a', { filter: video, ordered: false });
    await expectStatus(api.call('PATCH', `/v1/endpoints/${id}`, { enabled: false }), 200);
    await track(bridge);
    await expectStatus(api.call('PATCH', `/v1/endpoints/${id}`, { enabled: true }), 200);
    await sleep(bridge, 5 * MINUTE);
  },

  'a circuit breaker opens and closes': async (bridge) => {
    const { users, receivers } = bridge;
    await users.makeEndpoint('receiver-a', { filter: video, ordered: false });
    receivers.setMood('receiver-a.example', 'hanging');
    await track(bridge);
    await track(bridge);
    receivers.setMood('receiver-a.example', 'well');
    await sleep(bridge, 15 * MINUTE);
  },

  'what was sent is replayed': async (bridge) => {
    const { users, api, simulation } = bridge;
    const { id } = await users.makeEndpoint('receiver-a', { filter: video, ordered: false });
    const since = new Date(simulation.now).toISOString();
    await track(bridge);
    await expectStatus(api.call('POST', `/v1/endpoints/${id}/replay`, { since, state: 'all' }), 202);
    await sleep(bridge, 5 * MINUTE);
  },

  'a secret is rotated': async (bridge) => {
    const { users, api } = bridge;
    const made = await users.makeEndpoint('receiver-a', { filter: video, ordered: false });
    const { body } = await api.call('POST', `/v1/endpoints/${made.id}/secret/rotate`, { overlapHours: 1 });
    made.secrets.push(body.secret as string);
    await track(bridge);
  },

  'an endpoint is deleted while deliveries wait': async (bridge) => {
    const { users, api, receivers, simulation } = bridge;
    const made = await users.makeEndpoint('receiver-a', { filter: video, ordered: false });
    receivers.setMood('receiver-a.example', 'gone');
    await track(bridge);
    made.deletedAt = simulation.now;
    await api.call('DELETE', `/v1/endpoints/${made.id}`);
    await sleep(bridge, 5 * MINUTE);
  },

  'a request is purged': async (bridge) => {
    const { users, api, simulation } = bridge;
    await users.makeEndpoint('receiver-a', { filter: video, ordered: false });
    const { job: purged, commands } = await track(bridge, true);
    commands.push({ at: simulation.now, kind: 'purge' });
    await api.call('DELETE', `/v1/requests/${purged.requestId}?purge=true`);
    await sleep(bridge, 3 * MINUTE);
  },

  'a request is restarted': async (bridge) => {
    const { users, api, simulation } = bridge;
    await users.makeEndpoint('receiver-a', { filter: video, ordered: false });
    const { job: ended, commands } = await track(bridge);
    commands.push({ at: simulation.now, kind: 'restart' });
    const { requestId } = ended;
    await expectStatus(api.call('POST', '/v1/requests?restart=true', { requestId }), 200);
    await sleep(bridge, 3 * MINUTE);
  },

  'a request is stopped while its video is copied': async (bridge) => {
    const { users, api, simulation } = bridge;
    // Its probe and its first part are served, and then no more.
    const stuck = [{ at: 'download', kind: 'http', status: 503, skip: 2 }];
    const large = job(bridge, 3 * PART_BYTES + 1, stuck);
    const tracked = await users.register({ job: large, copy: true, callback: false });
    await untilVideoIs(bridge, 'copying', tracked);
    const { job: stopped, commands } = tracked;
    await api.call('DELETE', `/v1/requests/${stopped.requestId}`);
    commands.push({ at: simulation.now, kind: 'stop' });
    await sleep(bridge, 3 * MINUTE);
  },

  'messages are fetched and acknowledged': async (bridge) => {
    const made = await bridge.users.makeEndpoint('puller', { kind: 'pull', filter: video, ordered: false });
    await fetchAll(bridge, made, await track(bridge));
  },

  'more than a hundred events go to three endpoints': async (bridge) => {
    const filter = [...video, 'progress.updated'];
    const made: Made[] = [];
    for (const host of ['puller-a', 'puller-b', 'puller-c']) {
      made.push(await bridge.users.makeEndpoint(host, { kind: 'pull', filter, ordered: false }));
    }
    const tracked = await track(bridge);
    await addProgress(bridge, tracked.job.requestId, 101);
    await sleep(bridge, 3 * MINUTE);
    for (const endpoint of made) await fetchAll(bridge, endpoint, tracked, 101);
  },

  'all messages are lost, and the tick finds what is due': async (bridge) => {
    const { users, queues } = bridge;
    // An endpoint that has proved itself, whose deliveries have a lane of their own.
    await users.makeEndpoint('receiver-a', { filter: video, ordered: false });
    await track(bridge);
    queues.leaveToTicks(LANES);
    await users.register({ job: job(bridge), copy: true, callback: true });
    await sleep(bridge, 20 * MINUTE);
  },

  'people look at everything, and ask for a delivery again': async (bridge) => {
    const { users, api, receivers } = bridge;
    const { id } = await users.makeEndpoint('receiver-a', { filter: video, ordered: false });
    receivers.setMood('receiver-a.example', 'server errors');
    const tracked = await users.register({ job: job(bridge), copy: true, callback: true });
    await untilVideoIs(bridge, 'stored', tracked);
    const { job: stored } = tracked;
    const paths = ['/v1/stats', '/v1/stats/history', '/v1/doctor', '/v1/requests', '/v1/parked'];
    for (const path of [...paths, `/v1/requests/${stored.requestId}/timeline`]) {
      await expectStatus(api.call('GET', path), 200);
    }
    await expectStatus(api.call('GET', `/v1/requests/${stored.requestId}/video`), 302);
    receivers.setMood('receiver-a.example', 'well');
    const { body } = await api.call('GET', `/v1/endpoints/${id}/deliveries`);
    await expectStatus(api.call('POST', `/v1/deliveries/${body.items[0].id}/retry`), 202);
    await sleep(bridge, 5 * MINUTE);
  },

  'a download URL is refused, and a new one asked for': (bridge) =>
    copy(bridge, 1_000, [{ at: 'download', kind: 'http', status: 403, times: 2 }]),

  'a video can no longer be downloaded': (bridge) =>
    copy(bridge, 1_000, [{ at: 'download', kind: 'http', status: 404 }]),

  'an endpoint says that it will take nothing any more, and is enabled again': async (bridge) => {
    const { users, receivers } = bridge;
    await users.makeEndpoint('receiver-a', { filter: video, ordered: false });
    receivers.setMood('receiver-a.example', 'leaving');
    await track(bridge);
    receivers.setMood('receiver-a.example', 'well');
    await sleep(bridge, 5 * MINUTE);
  },

  'upstream fails once, and then no longer knows the request': async (bridge) => {
    const { users } = bridge;
    await users.makeEndpoint('receiver-a', { filter: video, ordered: false });
    const faults = [
      { at: 'status', kind: 'http', status: 500, times: 1 },
      { at: 'status', kind: 'http', status: 404 },
    ];
    await users.register({
      job: { ...job(bridge, 1_000, faults), isOrderly: false },
      copy: false,
      callback: false,
    });
    await sleep(bridge, 5 * MINUTE);
  },

  'upstream asks to wait': async (bridge) => {
    const { users } = bridge;
    await users.makeEndpoint('receiver-a', { filter: video, ordered: false });
    const asked = job(bridge, 1_000, [{ at: 'status', kind: 'http', status: 429, times: 2 }]);
    await users.register({ job: asked, copy: false, callback: false });
    await sleep(bridge, 5 * MINUTE);
  },

  'a request is purged while its video is copied': async (bridge) => {
    const { users, api, queues, simulation } = bridge;
    const stuck = [{ at: 'download', kind: 'http', status: 503, skip: 2 }];
    const large = job(bridge, 3 * PART_BYTES + 1, stuck);
    const tracked = await users.register({ job: large, copy: true, callback: false });
    await untilVideoIs(bridge, 'copying', tracked);
    const { job: purged, commands } = tracked;
    // The erasure comes before the copy's own clean-up, and waits for it.
    queues.leaveToTicks(['copy']);
    commands.push({ at: simulation.now, kind: 'purge' });
    await api.call('DELETE', `/v1/requests/${purged.requestId}?purge=true`);
    await sleep(bridge, 5 * MINUTE);
  },
};
