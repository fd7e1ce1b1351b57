import { command } from '../command/command.ts';
import { FLAGS, one } from '../frame/arguments.ts';
import { usageError } from '../frame/failure.ts';
import { bar } from '../frame/text.ts';

type Flags = { since: string; until?: string; state: 'failed' | 'all'; type?: string; dryRun?: boolean };

const LOOK_EVERY_MS = 1_000;

export const replay = command<Flags, [string]>({
  brief: "Send an endpoint's earlier deliveries again, with the same ids",
  examples: [
    ['replay ep_… --since 2d', 'The failed ones of the last two days'],
    ['replay ep_… --since 1h --state all --type video.stored --dry-run', 'Count what would be sent'],
  ],
  flags: {
    since: FLAGS.since,
    until: FLAGS.until,
    state: { kind: 'enum', values: ['failed', 'all'], brief: 'Which deliveries', default: 'failed' },
    type: FLAGS.eventType,
    dryRun: { kind: 'boolean', brief: 'Count only', optional: true, withNegated: false },
  },
  args: one('ENDPOINT', 'The id of the endpoint'),
  async run({ connect, out, sleep }, { since, until = new Date().toISOString(), state, type, dryRun }, id) {
    const bridge = await connect();
    if (until <= since) throw usageError('--until must be after --since.');
    const wanted = { since, until, state, ...(type === undefined ? {} : { type }) };
    if (dryRun) {
      let count = 0;
      for await (const each of bridge.endpoints.toReplay(id, wanted)) {
        out.value({ id: each.id, type: each.type, state: each.state });
        count++;
      }
      out.line(`${count} deliveries would be sent again.`);
      return;
    }
    const { replayId } = await bridge.endpoints.replay(id, wanted);
    const live = out.terminal ? out.live() : undefined;
    let said = '';
    for (;;) {
      const found = await bridge.replays.get(replayId);
      const { matched, done } = found;
      const ended = found.state === 'done';
      const line = `${matched === 0 ? '' : `${bar(done / matched)}  `}${done} of ${matched} sent`;
      live?.draw([line]);
      if (!live && line !== said && !ended) {
        out.value(found);
        out.line(line);
        said = line;
      }
      if (ended) {
        live?.clear();
        out.value(found);
        out.line(`${replayId}: ${done} of ${matched} deliveries have ended.`);
        return;
      }
      await sleep(LOOK_EVERY_MS);
    }
  },
});
