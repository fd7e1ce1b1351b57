import { type Emulators, START, startBridge } from './bridge.ts';
import type { FaultKind } from './faults.ts';
import type { History } from './history.ts';
import { randomFrom } from './random.ts';
import { Actor } from './simulation.ts';

export type RunOptions = {
  readonly seed: number;
  /** Requests that are registered; how long it takes and what people do grows with them. */
  readonly requests: number;
  /** Only these kinds of faults, whatever the seed says. */
  readonly only?: readonly FaultKind[] | undefined;
  /** Called with each thing that happens. */
  readonly onNote?: ((line: string) => void) | undefined;
};

export type Run = {
  readonly history: History;
  /** The same for the same seed. */
  readonly digest: string;
  readonly kinds: readonly FaultKind[];
  readonly counted: Readonly<Record<string, number>>;
};

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const ORDERS_PER_REQUEST = 6;

/** Plays one seed to its end: a time of faults, and then as long as it takes until nothing is left to do. */
export async function playSeed(
  emulators: Emulators,
  { seed, requests, only, onNote }: RunOptions,
): Promise<Run> {
  const random = randomFrom(seed);
  const hasOthersOnly = !only && seed % OTHERS_ONLY_EVERY === 0;
  const bridge = await startBridge(emulators, { random, only: hasOthersOnly ? OF_OTHERS : only, onNote });
  const { simulation, faults, users, functions, queues, receivers, tick } = bridge;
  try {
    await play();
    const { history } = await bridge.settle({
      promptMs: isOnlyOfOthers(faults.kinds) ? 2 * MINUTE : HOUR,
      sendsOnce: isOnlyOfOthers(faults.kinds) && !faults.kinds.has('users'),
    });
    return {
      history,
      digest: simulation.digest(),
      kinds: [...faults.kinds],
      counted: {
        events: simulation.events,
        'virtual hours': Math.round((simulation.now - START) / HOUR),
        requests: users.requests.length,
        webhooks: receivers.received.length,
        calls: users.counted.calls,
        ...functions.counted,
      },
    };
  } finally {
    bridge.stop();
  }

  /** The time of faults. */
  async function play(): Promise<void> {
    const lastsMs = requests * random.integer(1, 4) * MINUTE + 20 * MINUTE;
    const begin = (name: string, work: () => Promise<void>) => simulation.as(new Actor(name), work);
    await simulation.runFor(
      begin('owner', async () => {
        await users.makeEndpoint('steady', { steady: true });
        for (const host of ['receiver-a', 'receiver-b', 'dead']) await users.makeEndpoint(host);
      }),
    );
    const later = (name: string, withinMs: number, work: () => Promise<unknown>) => {
      const at = random.integer(0, withinMs);
      return begin(name, async () => {
        await simulation.sleep(at);
        await work();
      });
    };
    const people = faults.has('users') ? requests * ORDERS_PER_REQUEST : 0;
    await simulation.runFor(
      Promise.all([
        begin('time', () => passTime(START + lastsMs)),
        ...Array.from({ length: requests }, (_, n) =>
          later(`service-${n}`, lastsMs - 20 * MINUTE, () => users.register()),
        ),
        ...Array.from({ length: people }, (_, n) => later(`person-${n}`, lastsMs, users.act)),
      ]),
    );
    faults.stop();
    functions.heal();
  }

  /** What happens by the minute: ticks, and faults that hit all at once. */
  async function passTime(end: number): Promise<void> {
    while (simulation.now < end) {
      await simulation.sleep(MINUTE);
      if (!faults.strikes('missed ticks', 0.2)) void tick();
      if (faults.strikes('jumping clocks', 0.1)) functions.jumpClocks();
      if (faults.strikes('killed workers', 0.01)) functions.restart();
      if (faults.strikes('lost messages', 0.01)) queues.purge();
    }
  }
}

/** Kinds of faults that are the far sides' own: with no others an event goes out at once. */
const OF_OTHERS: readonly FaultKind[] = [
  'bad receivers',
  'dead receiver',
  'upstream faults',
  'download faults',
];
/** One seed of so many has these alone, and so stricter promises: those of most days. */
const OTHERS_ONLY_EVERY = 7;

const isOnlyOfOthers = (kinds: ReadonlySet<FaultKind>): boolean =>
  [...kinds].every((kind) => kind === 'users' || OF_OTHERS.includes(kind));
