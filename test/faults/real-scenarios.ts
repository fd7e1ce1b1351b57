import type { RealBridge } from './real-bridge.ts';

const MIB = 1024 ** 2;
const track = (bridge: RealBridge) => bridge.register();

/** Stories of some seconds with the real processes; what needs hours of waiting is in `scenarios.ts`. */
export const REAL_SCENARIOS: Readonly<Record<string, (bridge: RealBridge) => Promise<void>>> = {
  'a request is registered, polled and told to an endpoint and a callback': async (bridge) => {
    await bridge.makeEndpoint('receiver');
    await bridge.register({ callback: true });
  },

  'a batch is registered': async (bridge) => {
    await bridge.makeEndpoint('receiver');
    const jobs = await Promise.all([1, 2, 3].map(() => bridge.newJob(1_000, [], false)));
    const items = jobs.map(({ job }) => ({ requestId: job.requestId, copy: false }));
    await bridge.api.call('POST', '/v1/requests/batch', { items });
  },

  'a small video is copied': async (bridge) => {
    await bridge.makeEndpoint('receiver');
    await bridge.register({ copy: true });
  },

  'a large video is copied in segments': async (bridge) => {
    await bridge.makeEndpoint('receiver');
    await bridge.register({ copy: true, bytes: 17 * MIB + 1 });
  },

  'a video is copied in a stream': async (bridge) => {
    await bridge.makeEndpoint('receiver');
    const faults = [{ at: 'download', kind: 'noRange' }];
    await bridge.register({ copy: true, bytes: 9 * MIB, faults });
  },

  'events go to three endpoints': async (bridge) => {
    for (const name of ['receiver-a', 'receiver-b', 'receiver-c']) await bridge.makeEndpoint(name);
    await Promise.all([1, 2, 3, 4].map(() => track(bridge)));
  },

  'a delivery fails and is tried again': async (bridge) => {
    await bridge.behave(await bridge.makeEndpoint('receiver'), { status: 503, times: 1 });
    await track(bridge);
  },

  'an endpoint is disabled and enabled again': async (bridge) => {
    const { id } = await bridge.makeEndpoint('receiver');
    await bridge.api.call('PATCH', `/v1/endpoints/${id}`, { enabled: false });
    await track(bridge);
    await bridge.quiet();
    await bridge.api.call('PATCH', `/v1/endpoints/${id}`, { enabled: true });
  },

  'what was sent is replayed': async (bridge) => {
    const { id, createdAt } = await bridge.makeEndpoint('receiver');
    await track(bridge);
    await bridge.quiet();
    const since = new Date(createdAt).toISOString();
    await bridge.api.call('POST', `/v1/endpoints/${id}/replay`, { since, state: 'all' });
  },

  'a secret is rotated': async (bridge) => {
    const made = await bridge.makeEndpoint('receiver');
    const rotation = { overlapHours: 1 };
    const { body } = await bridge.api.call('POST', `/v1/endpoints/${made.id}/secret/rotate`, rotation);
    made.secrets.push(body.secret as string);
    await track(bridge);
  },

  'an endpoint is deleted while deliveries wait': async (bridge) => {
    const made = await bridge.makeEndpoint('receiver');
    await bridge.behave(made, { status: 503 });
    await bridge.observed(await track(bridge), 2);
    made.deletedAt = Date.now();
    await bridge.api.call('DELETE', `/v1/endpoints/${made.id}`);
  },

  'a request is purged': async (bridge) => {
    await bridge.makeEndpoint('receiver');
    const { job, commands } = await bridge.register({ callback: true });
    await bridge.quiet();
    commands.push({ at: Date.now(), kind: 'purge' });
    await bridge.api.call('DELETE', `/v1/requests/${job.requestId}?purge=true`);
  },

  'a request is restarted': async (bridge) => {
    await bridge.makeEndpoint('receiver');
    const { job, commands } = await track(bridge);
    await bridge.quiet();
    commands.push({ at: Date.now(), kind: 'restart' });
    await bridge.api.call('POST', '/v1/requests?restart=true', { requestId: job.requestId });
  },

  'messages are fetched and acknowledged': async (bridge) => {
    const { id, url } = await bridge.makeEndpoint('puller', 'pull');
    await bridge.observed(await track(bridge), 2);
    await bridge.quiet();
    for (;;) {
      const { body } = await bridge.api.call('GET', `/v1/endpoints/${id}/messages`);
      const items = body.items as { headers: Record<string, string>; body: string }[];
      if (items.length === 0) return;
      const ids = items.map(({ headers }) => headers['webhook-id']);
      await bridge.api.call('POST', `/v1/endpoints/${id}/messages/ack`, { ids });
      for (const { headers, body: text } of items) {
        bridge.received.push({ at: Date.now(), url, headers, body: text, answer: 200 });
      }
    }
  },
};
