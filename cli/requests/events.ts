import { command } from '../command/command.ts';
import { one } from '../frame/arguments.ts';
import { printable, timeText } from '../frame/text.ts';

export const events = command<object, [string]>({
  brief: "List a request's events, the oldest first",
  examples: [['events 4f9c1a52-7d3e-4b8a-9c60-2e5d8f1a7b34 --json', 'The events as receivers get them']],
  args: one('ID', 'The id of the request'),
  async run({ connect, out }, _flags, requestId) {
    const bridge = await connect();
    for await (const event of bridge.requests.events(requestId)) {
      out.value(event);
      const { sequence, skipped = [] } = event.data;
      const unseen = skipped.length > 0 ? `  (${skipped.join(', ')} passed unseen between two polls)` : '';
      out.line(printable(`${timeText(event.timestamp)}  #${sequence} ${event.type}${unseen}  ${event.id}`));
    }
  },
});
