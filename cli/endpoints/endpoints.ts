import { buildRouteMap } from '@stricli/core';
import type { Attempt, BridgeEvent, Endpoint, EndpointChange, NewEndpoint } from '../../client/client.ts';
import { type CliContext, command } from '../command/command.ts';
import { confirm } from '../command/confirm.ts';
import { FLAGS, numberBetween, one, parsePairs } from '../frame/arguments.ts';
import { usageError } from '../frame/failure.ts';
import type { Output } from '../frame/output.ts';
import { durationText, printable, table, timeText } from '../frame/text.ts';
import { CREATED_KINDS, ENDPOINT_KINDS, KINDS } from './endpoint-kinds.ts';

const ID = one('ENDPOINT', 'The id of the endpoint');
const text = (brief: string, placeholder: string) =>
  ({ kind: 'parsed', parse: String, brief, placeholder, optional: true }) as const;
const texts = (brief: string, placeholder: string) =>
  ({ ...text(brief, placeholder), variadic: true }) as const;

const list = command<{ kind?: Endpoint['kind'] }>({
  brief: 'List endpoints and their health',
  examples: [['endpoints list --kind callback', 'The callbacks of requests']],
  flags: {
    kind: {
      kind: 'enum',
      values: ENDPOINT_KINDS,
      brief: 'Only of this kind',
      optional: true,
    },
  },
  async run({ connect, out }, { kind }) {
    const bridge = await connect();
    const rows: string[][] = [];
    for await (const endpoint of bridge.endpoints.list({ kind })) {
      out.value(endpoint);
      rows.push([
        endpoint.id,
        endpoint.kind,
        endpoint.health.state,
        endpoint.events.join(' '),
        targetOf(endpoint),
      ]);
    }
    for (const line of table(['ENDPOINT', 'KIND', 'HEALTH', 'EVENTS', 'TARGET'], rows)) out.line(line);
  },
});

type Settings = {
  to?: string;
  bus?: string;
  events?: string[];
  description?: string;
  rateLimit?: number;
  ordered?: boolean;
  header?: string[];
};

const SETTINGS = {
  to: text('Where to send', 'URL'),
  bus: text('The event bus of an eventbridge endpoint', 'NAME'),
  events: texts('What to send (repeatable): a type, or a prefix with .*', 'TYPE'),
  description: text('For people', 'TEXT'),
  rateLimit: { ...text('Deliveries per second', 'N'), parse: numberBetween(0.001, 1_000, { whole: false }) },
  ordered: { kind: 'boolean', brief: 'Keep the order of events', optional: true },
  header: texts('A header of each delivery (repeatable)', 'NAME=VALUE'),
} as const;

const bodyOf = ({ to, bus, events, description, rateLimit, ordered, header }: Settings) => ({
  url: to,
  busName: bus,
  events,
  description,
  rateLimit,
  ordered,
  headers: parsePairs(header, 'header'),
});

const add = command<Settings & { kind?: Endpoint['kind'] }>({
  brief: 'Add an account-wide endpoint, which gets the events of all requests',
  examples: [
    ['endpoints add --to https://example.com/hooks', 'Send all events there'],
    ['endpoints add --kind pull', 'Keep events until they are fetched'],
  ],
  flags: {
    kind: { kind: 'enum', values: CREATED_KINDS, brief: 'Default http', optional: true },
    ...SETTINGS,
  },
  async run({ connect, out }, { kind, ...settings }) {
    // The bridge would ask for a url, and --url is its own address.
    const { needs } = KINDS[kind ?? 'http'];
    if (needs === 'to' && !settings.to) throw usageError('Say where to send: give --to URL.');
    if (needs !== 'to' && settings.to) throw usageError(`--to is for kind http, not ${kind}.`);
    if (needs === 'bus' && !settings.bus) throw usageError('Name the event bus: give --bus NAME.');
    const endpoint = await (await connect()).endpoints.create({ kind, ...bodyOf(settings) } as NewEndpoint);
    out.value(endpoint);
    for (const line of factsOf(endpoint, out)) out.line(line);
    out.line(`  secret       ${endpoint.secret}`);
  },
});

const show = command<object, [string]>({
  brief: 'Show an endpoint',
  examples: [['endpoints show ep_…', 'Its settings and health']],
  args: ID,
  async run({ connect, out }, _flags, id) {
    const endpoint = await (await connect()).endpoints.get(id);
    out.value(endpoint);
    for (const line of factsOf(endpoint, out)) out.line(line);
  },
});

const update = command<Settings, [string]>({
  brief: 'Change an endpoint; settings that are not given stay',
  examples: [['endpoints update ep_… --rate-limit 5', 'Send at most five a second']],
  flags: SETTINGS,
  args: ID,
  async run({ connect, out }, { ...settings }, id) {
    const change = bodyOf(settings);
    if (Object.values(change).every((value) => value === undefined))
      throw usageError('Say what to change: --help lists the settings.');
    const endpoint = await (await connect()).endpoints.change(id, change as EndpointChange);
    out.value(endpoint);
    for (const line of factsOf(endpoint, out)) out.line(line);
  },
});

const rm = command<{ yes?: boolean }, [string]>({
  brief: 'Delete an endpoint and cancel its pending deliveries',
  examples: [['endpoints rm ep_… --yes', 'Delete it without a question']],
  flags: { yes: FLAGS.yes },
  aliases: { y: 'yes' },
  args: ID,
  async run(session, { yes }, id) {
    const bridge = await session.connect();
    await confirm(session, yes, `Delete ${id} and cancel its pending deliveries?`);
    await bridge.endpoints.delete(id);
    session.out.value({ id, deleted: true });
    session.out.line(`${id} is deleted.`);
  },
});

const enabling = (enabled: boolean) =>
  command<object, [string]>({
    brief: enabled ? 'Send to an endpoint again' : 'Hold the deliveries of an endpoint',
    examples: [
      [`endpoints ${enabled ? 'enable' : 'disable'} ep_…`, enabled ? 'Send again' : 'Hold deliveries'],
    ],
    args: ID,
    async run({ connect, out }, _flags, id) {
      const endpoint = await (await connect()).endpoints.change(id, { enabled });
      out.value(endpoint);
      out.line(`${id} is ${enabled ? 'enabled' : 'disabled'}.`);
    },
  });

const rotate = command<{ overlap?: number }, [string]>({
  brief: 'Give an endpoint a new secret; the old one also signs for a while',
  examples: [['endpoints rotate ep_… --overlap 48', 'Both secrets sign for two days']],
  flags: {
    overlap: {
      kind: 'parsed',
      parse: numberBetween(0, 168, { of: 'hours', whole: false }),
      brief: 'How long both sign (default 24)',
      placeholder: 'HOURS',
      optional: true,
    },
  },
  args: ID,
  async run({ connect, out }, { overlap }, id) {
    const secret = await (await connect()).endpoints.rotateSecret(id, { overlapHours: overlap });
    out.value(secret);
    out.line(secret.secret);
  },
});

const test = command<{ type?: string; to?: string }, [string]>({
  brief: 'Send an endpoint.test event, or a sample of another type, to an endpoint or any URL',
  examples: [
    ['endpoints test ep_…', 'Try it out'],
    [
      'endpoints test ep_… --type video.stored --to https://…',
      'Send a sample once to another URL, and show its answer',
    ],
  ],
  flags: {
    type: text('The type of the event', 'TYPE'),
    to: text('Where to send it instead, signed by the secret of the endpoint', 'URL'),
  },
  args: ID,
  async run({ connect, out }, { type: given, to: url }, id) {
    const { endpoints } = await connect();
    // The API refuses a type that it does not know, and names those that it does.
    const type = given as BridgeEvent['type'] | undefined;
    if (url !== undefined) {
      const { eventId, attempt } = await endpoints.testUrl(id, { type, url });
      out.value({ eventId, attempt });
      out.line(attempt ? answered(attempt) : `${eventId} is under way; its answer was not waited for.`);
      return;
    }
    const sent = await endpoints.test(id, { type });
    out.value(sent);
    out.line(`${sent.eventId} is sent; topaz-bridge deliveries ${id} shows how it went.`);
  },
});

const secret = command<object, [string]>({
  brief: 'Print the secret that signs for an endpoint',
  examples: [['endpoints secret ep_…', 'The secret alone']],
  args: ID,
  async run({ connect, out }, _flags, id) {
    const found = await (await connect()).endpoints.secret(id);
    out.value(found);
    out.line(found.secret);
  },
});

export const endpoints = buildRouteMap<string, CliContext>({
  routes: {
    list,
    add,
    show,
    update,
    rm,
    enable: enabling(true),
    disable: enabling(false),
    rotate,
    test,
    secret,
  },
  docs: { brief: 'Manage the receivers of webhooks' },
});

const answered = ({ statusCode, reason, durationMs }: Attempt): string =>
  printable(`${reason ?? `The answer was ${statusCode}.`} (${durationText(durationMs)})`);

const targetOf = ({ url, busName }: Endpoint): string => url ?? busName ?? '';

function factsOf(endpoint: Endpoint, out: Output): string[] {
  const { id, kind, events, description, enabled, disabledReason, rateLimit, ordered, headers, health } =
    endpoint;
  const failing = health.failingSince ? ` since ${timeText(health.failingSince)}` : '';
  const facts: [string, string][] = [
    ['kind', kind],
    ['target', targetOf(endpoint)],
    ['events', events.join(' ')],
    ['description', description],
    ['enabled', enabled ? 'yes' : `no${disabledReason ? `: ${disabledReason}` : ''}`],
    ['health', `${health.state}${failing}`],
    ['delivered', health.lastDeliveredAt ? `last at ${timeText(health.lastDeliveredAt)}` : ''],
    ['rate limit', rateLimit === undefined ? '' : `${rateLimit} a second`],
    ['ordered', ordered ? 'yes' : ''],
    ['headers', Object.keys(headers).join(', ')],
    ['created', timeText(endpoint.createdAt)],
  ];
  return [
    out.paint('bold', printable(id)),
    ...facts.flatMap(([name, value]) => (value ? [`  ${name.padEnd(12)} ${printable(value)}`] : [])),
  ];
}
