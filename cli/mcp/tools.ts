import * as z from 'zod/mini';
import type { Delivery, PageOptions, Registration } from '../../client/client.ts';
import { ENDPOINT_KINDS } from '../endpoints/endpoint-kinds.ts';
import { parseTime } from '../frame/arguments.ts';
import { restartRequest } from '../requests/restart-request.ts';
import { type Tool, tool } from './tool.ts';

const said = (text: string) => z.string().check(z.minLength(1), z.describe(text));
const requestId = said('The UUID that Topaz gave the request.');
const endpointId = said('The id of an endpoint: ep_…');
const deliveryId = said('The id of a delivery: dlv_…');
const time = (text: string) => said(`${text} ISO 8601, or 2h for two hours ago.`);
const type = said('A type such as video.stored, or a prefix with .* such as video.*');

const PAGE = {
  limit: z
    ._default(z.int().check(z.minimum(1), z.maximum(100)), 20)
    .check(z.describe('How many at most; default 20.')),
  cursor: z.optional(said('The cursor of the answer before, for what follows it.')),
};
const REQUEST_STATES = ['active', 'parked', 'done', 'stopped'] as const;
const DELIVERY_STATES = [
  'pending',
  'held',
  'delivered',
  'failed',
  'canceled',
] as const satisfies Delivery['state'][];

const READING: readonly Tool[] = [
  tool('list_requests', {
    title: 'List requests',
    description:
      'Lists tracked requests, the newest first. A request is a video job that was submitted to Topaz; state says what the bridge does with it, status what Topaz does. A parked one waits for a person.',
    input: z.strictObject({
      state: z.optional(z.enum(REQUEST_STATES)),
      status: z.optional(said('As Topaz names it, such as processing, complete or failed.')),
      query: z.optional(said('Searches ids, metadata and error texts.')),
      ...PAGE,
    }),
    run: (bridge, { state, status, query, ...page }, call) =>
      bridge.requests.list({ state, status, q: query }, call).page(pageOf(page)),
  }),
  tool('show_request', {
    title: "Show a request's story",
    description:
      'Shows one request and its timeline: statuses, progress, the copy of its video, events, and deliveries with the reasons why they failed.',
    input: z.strictObject({ requestId }),
    run: async (bridge, input, call) => {
      const [request, timeline] = await Promise.all([
        bridge.requests.get(input.requestId, call),
        bridge.requests.timeline(input.requestId, call),
      ]);
      return { request, timeline };
    },
  }),
  tool('list_endpoints', {
    title: 'List endpoints',
    description:
      'Lists the receivers of webhooks and their health: account-wide ones, or with kind callback those of requests.',
    input: z.strictObject({
      kind: z.optional(z.enum(ENDPOINT_KINDS)),
      ...PAGE,
    }),
    run: (bridge, { kind, ...page }, call) => bridge.endpoints.list({ kind }, call).page(pageOf(page)),
  }),
  tool('list_deliveries', {
    title: 'List deliveries',
    description:
      "Lists an endpoint's deliveries, the newest events first, with their attempts and why these failed.",
    input: z.strictObject({
      endpointId,
      state: z.optional(z.enum(DELIVERY_STATES)),
      type: z.optional(type),
      statusCode: z.optional(said('What the last attempt was answered: 404, 5xx, or none for no answer.')),
      since: z.optional(time('Events from this time on:')),
      until: z.optional(time('Events before this time:')),
      ...PAGE,
    }),
    run: (bridge, { endpointId: id, limit, cursor, since, until, ...filter }, call) =>
      bridge.endpoints
        .deliveries(
          id,
          { ...filter, since: since && parseTime(since), until: until && parseTime(until) },
          call,
        )
        .page(pageOf({ limit, cursor })),
  }),
  tool('show_delivery', {
    title: 'Show a delivery',
    description: 'Shows one delivery with its attempts.',
    input: z.strictObject({ deliveryId }),
    run: (bridge, { deliveryId: id }, call) => bridge.deliveries.get(id, call),
  }),
  tool('show_replay', {
    title: 'Show a replay',
    description: 'Shows how far a replay is: how many deliveries it is about, and how many have ended.',
    input: z.strictObject({ replayId: said('The id of a replay: rpl_…') }),
    run: (bridge, { replayId }, call) => bridge.replays.get(replayId, call),
  }),
  tool('stats', {
    title: 'Count',
    description:
      'Counts requests by state and status, and the work of each lane: waiting, overdue, parked. Says whether polling of Topaz is paused, and why.',
    input: z.strictObject({}),
    run: (bridge, _input, call) => bridge.stats(call),
  }),
  tool('doctor', {
    title: 'Check the bridge',
    description: 'Checks the deployment; each problem comes with its remedy.',
    input: z.strictObject({}),
    run: (bridge, _input, call) => bridge.doctor(call),
  }),
];

const WRITING: readonly Tool[] = [
  tool('track_request', {
    title: 'Track a request',
    description:
      'Tracks a request that was already submitted to Topaz: the bridge polls it, copies its video and sends its webhooks. Submits nothing. Of one that is tracked already nothing is reset.',
    changes: 'adds',
    input: z.strictObject({
      requestId,
      callbackUrl: z.optional(said('Where to send its webhooks.')),
      events: z.optional(z.array(type).check(z.describe('What to send there; default video.*'))),
      metadata: z.optional(z.record(z.string(), z.string())),
      copy: z.optional(
        z.boolean().check(z.describe('Whether to copy the video to the bucket; default true.')),
      ),
    }),
    run: (bridge, input, call) => bridge.requests.register(input as Registration, call),
  }),
  tool('poll_request', {
    title: 'Poll a request',
    description: 'Asks Topaz for the status now, and takes parked work up again.',
    changes: 'adds',
    input: z.strictObject({ requestId }),
    run: (bridge, input, call) => bridge.requests.poll(input.requestId, call),
  }),
  tool('restart_request', {
    title: 'Track a request again',
    description:
      'Polls an ended or stopped request again; its event numbers continue. Submits nothing to Topaz, so a job that failed there stays failed.',
    changes: 'adds',
    input: z.strictObject({ requestId }),
    run: (bridge, input, call) => restartRequest(bridge, input.requestId, call),
  }),
  tool('stop_request', {
    title: 'Stop tracking a request',
    description: 'Stops tracking: no more polls, and a running copy is aborted. The job at Topaz goes on.',
    changes: 'ends',
    input: z.strictObject({ requestId }),
    run: async (bridge, input, call) => {
      await bridge.requests.stop(input.requestId, call);
      return { requestId: input.requestId, state: 'stopped' };
    },
  }),
  tool('retry_delivery', {
    title: 'Send a delivery again',
    description: 'Sends one delivery again now, with the same webhook-id.',
    changes: 'adds',
    input: z.strictObject({ deliveryId }),
    run: (bridge, { deliveryId: id }, call) => bridge.deliveries.retry(id, call),
  }),
  tool('replay_deliveries', {
    title: "Send an endpoint's deliveries again",
    description:
      "Sends an endpoint's earlier deliveries again, with the same ids; by default the failed ones. show_replay says how far it is.",
    changes: 'adds',
    input: z.strictObject({
      endpointId,
      since: time('From this time on:'),
      until: z.optional(time('Before this time; default now.')),
      type: z.optional(type),
      state: z._default(z.enum(['failed', 'all']), 'failed'),
    }),
    run: (bridge, { endpointId: id, since, until, type, state }, call) =>
      bridge.endpoints.replay(
        id,
        {
          since: parseTime(since),
          ...(until ? { until: parseTime(until) } : {}),
          ...(type ? { type } : {}),
          state,
        },
        call,
      ),
  }),
];

/** The tools that read and, if allowed, those that write. Nothing erases, and no tool gives a secret. */
export const toolsFor = (allowWrites: boolean): readonly Tool[] =>
  allowWrites ? [...READING, ...WRITING] : READING;

/** Whether there is such a tool for a server that allows writes. */
export const isWriting = (name: string): boolean => WRITING.some((each) => each.name === name);

const pageOf = ({ limit, cursor }: { limit: number; cursor?: string | undefined }): PageOptions => ({
  limit,
  ...(cursor === undefined ? {} : { cursor }),
});
