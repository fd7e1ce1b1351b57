import type { ApiCalls } from './api-calls.ts';
import type { Faults } from './faults.ts';
import type { Command } from './history.ts';
import type { Simulation } from './simulation.ts';
import { chooseJob, type Job } from './upstream.ts';

/** What a user remembers of a request. */
export type Tracked = {
  readonly job: Job;
  /** When the job began at Topaz, virtual ms. */
  readonly startedAt: number;
  readonly copy: boolean;
  /** What it was registered with, when that came through. */
  metadata?: Readonly<Record<string, string>>;
  readonly commands: Command[];
  readonly callbacks: { url: string; events: string[]; at: number }[];
  /** Registrations of it that are not answered yet; a purge may overtake them, and is then followed by them. */
  registering: number;
};

/** What a user remembers of an endpoint. */
export type Made = {
  readonly id: string;
  readonly kind: string;
  readonly url: string;
  readonly filter: readonly string[];
  readonly ordered: boolean;
  readonly steady: boolean;
  readonly createdAt: number;
  deletedAt?: number;
  readonly secrets: string[];
};

/** What of an endpoint, or a request, is not left to chance. */
type EndpointChoice = Partial<Pick<Made, 'kind' | 'filter' | 'ordered' | 'steady'>>;
type RequestChoice = { readonly job?: Job; readonly copy?: boolean; readonly callback?: boolean };

const FILTERS = [
  ['video.*'],
  ['video.*', 'endpoint.*'],
  ['video.complete', 'video.stored'],
  ['video.*', 'progress.updated'],
];

/** People and their services: they register requests all the time, and call the rest of the API in between. */
export function createUsers(
  simulation: Simulation,
  faults: Faults,
  api: ApiCalls,
  setUpJob: (job: Job) => Promise<void>,
) {
  const { random } = simulation;
  const requests: Tracked[] = [];
  /** Those whose own registration came through: it names the metadata, so it must be the first. */
  const registered = new Set<Tracked>();
  const endpoints: Made[] = [];
  const counted = { calls: 0 };
  /** URLs given out: two endpoints may be made at once, and the checker tells them apart by their URLs. */
  let urls = 0;

  async function makeEndpoint(host: string, given: EndpointChoice = {}): Promise<Made> {
    const { steady = false } = given;
    const choice = steady
      ? { kind: 'http', filter: ['video.*'], ordered: false }
      : { kind: 'http', filter: random.pick(FILTERS), ordered: random.chance(0.3) };
    const { kind, filter, ordered } = { ...choice, ...given };
    const url = `https://${host}.example/hook-${urls++}`;
    const pace = !steady && random.chance(0.2) ? { rateLimit: random.pick([1, 5, 50]) } : {};
    const target = kind === 'pull' ? {} : { url, ordered, ...pace };
    const { status, body } = await api.call('POST', '/v1/endpoints', { kind, events: filter, ...target });
    if (status !== 201) throw new Error(`an endpoint is refused: ${JSON.stringify(body)}`);
    const { id, secret } = body as { id: string; secret: string };
    const made: Made = {
      id,
      kind,
      url,
      filter,
      ordered,
      steady,
      createdAt: simulation.now,
      secrets: [secret],
    };
    endpoints.push(made);
    return made;
  }

  async function register(given: RequestChoice = {}): Promise<Tracked> {
    const choice = { job: chooseJob(random, faults), copy: random.chance(0.7), callback: random.chance(0.4) };
    const { job, copy, callback: hasCallback } = { ...choice, ...given };
    const tracked: Tracked = {
      job,
      startedAt: simulation.now,
      copy,
      commands: [],
      callbacks: [],
      registering: 0,
    };
    await setUpJob(job);
    requests.push(tracked);
    const callback = hasCallback ? newCallback() : undefined;
    const metadata = { order: String(requests.length) };
    const { status, body } = await post(tracked, {
      copy,
      metadata,
      ...(callback && { callbackUrl: callback.url, events: callback.events }),
    });
    if (status !== 201 && status !== 200) throw new Error(`a request is refused: ${JSON.stringify(body)}`);
    registered.add(tracked);
    tracked.metadata = metadata;
    if (callback) tracked.callbacks.push({ ...callback, at: simulation.now });
    return tracked;
  }

  /** Registers a request, for the first time or again. */
  async function post(tracked: Tracked, body: object, path = '/v1/requests') {
    tracked.registering++;
    try {
      return await api.call('POST', path, { requestId: tracked.job.requestId, ...body });
    } finally {
      tracked.registering--;
    }
  }

  const newCallback = () => ({
    url: `https://${random.pick(['callback-a', 'callback-b', 'steady-callback'])}.example/${random.integer(1, 1e9)}`,
    events: random.pick(FILTERS.slice(0, 3)),
  });

  /** One call of a person, whatever it meets. */
  async function act(): Promise<void> {
    const tracked = requests.length > 0 ? random.pick(requests) : undefined;
    const touchable = endpoints.filter(({ steady, deletedAt }) => !steady && deletedAt === undefined);
    const endpoint = touchable.length > 0 ? random.pick(touchable) : undefined;
    counted.calls++;
    const roll = random.integer(1, 20);
    if (tracked && roll <= 8) return callOfRequest(tracked, roll);
    if (endpoint && roll <= 16) return callOfEndpoint(endpoint, roll);
    if (roll === 17 && endpoints.length < 8) await makeEndpoint(`receiver-${endpoints.length}`);
    else if (roll === 18) await api.call('GET', '/v1/stats');
    else if (roll === 19) await api.call('GET', '/v1/requests?limit=20');
    else await api.call('GET', '/v1/endpoints');
  }

  async function callOfRequest(tracked: Tracked, roll: number): Promise<void> {
    const { requestId } = tracked.job;
    const path = `/v1/requests/${requestId}`;
    if (tracked.commands.some(({ kind }) => kind === 'purge')) return;
    if (roll <= 3 && !registered.has(tracked)) return;
    switch (roll) {
      case 1:
      case 2: {
        if (random.chance(0.3)) return void (await post(tracked, {}));
        const callback = newCallback();
        const { status } = await post(tracked, { callbackUrl: callback.url, events: callback.events });
        if (status === 200) tracked.callbacks.push({ ...callback, at: simulation.now });
        return;
      }
      case 3: {
        const { status } = await post(tracked, {}, '/v1/requests?restart=true');
        if (status === 200) tracked.commands.push({ at: simulation.now, kind: 'restart' });
        return;
      }
      case 4:
        return void (await api.call('POST', `${path}/poll`));
      case 5: {
        const { status } = await api.call('DELETE', path);
        if (status === 204) tracked.commands.push({ at: simulation.now, kind: 'stop' });
        return;
      }
      case 6: {
        if (random.chance(0.5) || tracked.registering > 0) return;
        // Commanded from here on, though it is not known yet whether it comes through.
        tracked.commands.push({ at: simulation.now, kind: 'purge' });
        await api.call('DELETE', `${path}?purge=true`);
        return;
      }
      case 7:
        return void (await api.call('GET', `${path}/timeline`));
      default:
        await api.call('GET', `${path}/video`);
    }
  }

  async function callOfEndpoint(endpoint: Made, roll: number): Promise<void> {
    const path = `/v1/endpoints/${endpoint.id}`;
    switch (roll) {
      case 9:
        return void (await api.call('PATCH', path, { enabled: false }));
      case 10:
      case 11:
        return void (await api.call('PATCH', path, { enabled: true }));
      case 12: {
        if (random.chance(0.6)) return;
        endpoint.deletedAt = simulation.now;
        return void (await api.call('DELETE', path));
      }
      case 13: {
        const { status, body } = await api.call('POST', `${path}/secret/rotate`, { overlapHours: 1 });
        if (status === 200) endpoint.secrets.push(body.secret);
        return;
      }
      case 14:
        return void (await api.call('POST', `${path}/test`));
      case 15: {
        const since = new Date(simulation.now - 3_600_000).toISOString();
        const state = random.pick(['failed', 'all']);
        return void (await api.call('POST', `${path}/replay`, { since, state }));
      }
      default: {
        const { body, status } = await api.call('GET', `${path}/deliveries?limit=20`);
        if (status !== 200 || body.items.length === 0) return;
        await api.call('POST', `/v1/deliveries/${random.pick(body.items as { id: string }[]).id}/retry`);
      }
    }
  }

  return { makeEndpoint, register, act, requests, endpoints, counted };
}
