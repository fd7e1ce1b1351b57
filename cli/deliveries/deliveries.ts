import type { Delivery } from '../../client/client.ts';
import { command } from '../command/command.ts';
import { FLAGS, many, one } from '../frame/arguments.ts';
import { durationText, printable, table, timeText } from '../frame/text.ts';

type Flags = {
  state?: Delivery['state'];
  type?: string;
  statusCode?: string;
  since?: string;
  until?: string;
  limit: number;
};

export const deliveries = command<Flags, [string]>({
  brief: "List an endpoint's deliveries, the newest events first",
  examples: [
    ['deliveries ep_… --state failed', 'What did not arrive, and why'],
    ['deliveries ep_… --status-code 5xx --since 2h', 'Recent server errors of the receiver'],
  ],
  flags: {
    state: {
      kind: 'enum',
      values: ['pending', 'held', 'delivered', 'failed', 'canceled'],
      brief: 'Only in this state',
      optional: true,
    },
    type: FLAGS.eventType,
    statusCode: {
      kind: 'parsed',
      parse: String,
      brief: 'Only deliveries with this last answer: 404, 5xx, or none for no answer',
      placeholder: 'CODE',
      optional: true,
    },
    since: { ...FLAGS.since, optional: true },
    until: FLAGS.until,
    limit: FLAGS.limit,
  },
  aliases: { n: 'limit' },
  args: one('ENDPOINT', 'The id of the endpoint'),
  async run({ connect, out }, { limit, ...filter }, id) {
    const bridge = await connect();
    const rows: string[][] = [];
    let count = 0;
    for await (const each of bridge.endpoints.deliveries(id, filter)) {
      if (++count > limit) break;
      out.value(each);
      rows.push([each.id, each.type, each.state, String(each.attemptCount), outcomeOf(each)]);
    }
    for (const line of table(['DELIVERY', 'TYPE', 'STATE', 'ATTEMPTS', 'LAST ATTEMPT'], rows)) out.line(line);
    if (count > limit) out.note('There are more: raise --limit.');
  },
});

export const delivery = command<object, [string]>({
  brief: 'Show a delivery and its attempts',
  examples: [['delivery dlv_…', 'Each attempt with its reason']],
  args: one('DELIVERY', 'The id of the delivery'),
  async run({ connect, out }, _flags, id) {
    const found = await (await connect()).deliveries.get(id);
    out.value(found);
    out.line(printable(found.id));
    out.line(printable(`  ${found.type} for ${found.endpointId}: ${found.state}`));
    if (found.nextAttemptAt) out.line(`  next attempt at ${timeText(found.nextAttemptAt)} UTC`);
    for (const attempt of found.attempts) {
      const { at, durationMs, statusCode, reason, error, body } = attempt;
      const result = [statusCode, reason ?? error].filter(Boolean).join(' ') || 'delivered';
      out.line(printable(`  ${timeText(at)}  ${result}  (${durationText(durationMs)})`));
      if (body) out.line(printable(`    ${body}`));
    }
  },
});

export const retry = command<object, string[]>({
  brief: 'Send deliveries again now',
  examples: [['retry dlv_…', 'Try it at once']],
  args: many('DELIVERY', 'The ids of the deliveries'),
  async run({ connect, out }, _flags, ...ids) {
    const bridge = await connect();
    for (const id of ids) {
      out.value(await bridge.deliveries.retry(id));
      out.line(`${id} is being sent.`);
    }
  },
});

function outcomeOf({ attempts }: Delivery): string {
  const last = attempts.at(-1);
  if (!last) return '';
  return [timeText(last.at), last.statusCode, last.reason ?? last.error].filter(Boolean).join(' ');
}
