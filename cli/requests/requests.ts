import { command } from '../command/command.ts';
import { FLAGS } from '../frame/arguments.ts';
import { table, timeText } from '../frame/text.ts';
import { endText, hasEnded } from './request-text.ts';

type Flags = {
  state?: 'active' | 'parked' | 'done' | 'stopped';
  status?: string;
  query?: string;
  limit: number;
};

export const requests = command<Flags>({
  brief: 'List tracked requests, the newest first',
  examples: [
    ['requests --state active', 'What is under way'],
    ['requests -q order-42 --json', 'Those that mention order-42, as JSON lines'],
  ],
  flags: {
    state: {
      kind: 'enum',
      values: ['active', 'parked', 'done', 'stopped'],
      brief: 'Only in this state',
      optional: true,
    },
    status: {
      kind: 'parsed',
      parse: String,
      brief: 'Only with this status of Topaz',
      placeholder: 'STATUS',
      optional: true,
    },
    query: {
      kind: 'parsed',
      parse: String,
      brief: 'Search ids, metadata and error texts',
      placeholder: 'TEXT',
      optional: true,
    },
    limit: FLAGS.limit,
  },
  aliases: { q: 'query', n: 'limit' },
  async run({ connect, out }, { state, status, query, limit }) {
    const bridge = await connect();
    const rows: string[][] = [];
    let count = 0;
    for await (const request of bridge.requests.list({ state, status, q: query })) {
      if (++count > limit) break;
      out.value(request);
      const { requestId, progress, registeredAt } = request;
      const now = progress === null || hasEnded(request) ? '' : `${Math.floor(progress)} %`;
      rows.push([
        requestId,
        request.state,
        request.status,
        now,
        timeText(registeredAt),
        hasEnded(request) ? endText(request) : '',
      ]);
    }
    for (const line of table(['REQUEST', 'STATE', 'STATUS', 'PROGRESS', 'REGISTERED (UTC)', 'OUTCOME'], rows))
      out.line(line);
    if (count > limit) out.note(`There are more: raise --limit.`);
  },
});
