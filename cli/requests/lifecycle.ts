import { command } from '../command/command.ts';
import { confirm } from '../command/confirm.ts';
import { FLAGS, many } from '../frame/arguments.ts';
import { restartRequest } from './restart-request.ts';

const IDS = many('ID', 'The ids of the requests');

export const poll = command<object, string[]>({
  brief: 'Poll requests now, release their parked work, and end a pause of polling by a probe',
  examples: [['poll 4f9c1a52-7d3e-4b8a-9c60-2e5d8f1a7b34', 'Ask Topaz now']],
  args: IDS,
  async run({ connect, out }, _flags, ...ids) {
    const bridge = await connect();
    for (const id of ids) {
      out.value(await bridge.requests.poll(id));
      out.line(`${id} is being polled.`);
    }
  },
});

export const restart = command<object, string[]>({
  brief: 'Track ended or stopped requests again; their event numbers continue',
  examples: [['restart 4f9c1a52-7d3e-4b8a-9c60-2e5d8f1a7b34', 'Poll an ended request again']],
  args: IDS,
  async run({ connect, out }, _flags, ...ids) {
    const bridge = await connect();
    for (const id of ids) {
      const request = await restartRequest(bridge, id);
      out.value(request);
      out.line(`${id} is ${request.state}.`);
    }
  },
});

export const stop = command<object, string[]>({
  brief: 'Stop tracking requests; the jobs at Topaz and stored videos stay as they are',
  examples: [['stop 4f9c1a52-7d3e-4b8a-9c60-2e5d8f1a7b34', 'Stop polling a request']],
  args: IDS,
  async run({ connect, out }, _flags, ...ids) {
    const bridge = await connect();
    for (const id of ids) {
      await bridge.requests.stop(id);
      out.value({ requestId: id, stopped: true });
      out.line(`${id} is stopped.`);
    }
  },
});

export const purge = command<{ yes?: boolean }, string[]>({
  brief: "Stop requests, cancel their deliveries and erase the bridge's data of them",
  description: 'Stop requests, cancel their deliveries and erase their data. Stored videos stay.',
  examples: [['purge --yes 4f9c1a52-7d3e-4b8a-9c60-2e5d8f1a7b34', 'Erase a request without a question']],
  flags: { yes: FLAGS.yes },
  aliases: { y: 'yes' },
  args: IDS,
  async run(session, { yes }, ...ids) {
    const bridge = await session.connect();
    const what = ids.length === 1 ? ids[0] : `${ids.length} requests`;
    await confirm(session, yes, `Erase all data of ${what}? This cannot be undone.`);
    for (const id of ids) {
      await bridge.requests.stop(id, { purge: true });
      session.out.value({ requestId: id, purged: true });
      session.out.line(`${id} is erased.`);
    }
  },
});
