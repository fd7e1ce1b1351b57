import { randomUUID } from 'node:crypto';
import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';
import type { Lane } from '../../lambdas/domain/work.ts';
import { CLOCKS_APART_MS } from './faults.ts';
import type { Message } from './queues.ts';
import { Actor, type Fuse } from './simulation.ts';
import { COLD_STARTS, MOST_DELIVERIES, STAGE_OF, type StageHandler, type World } from './stages.ts';

/** As deployed (lib/webhook-bridge.ts), with fewer workers. */
const LANE_SETTINGS: Record<Lane, { batch: number; most: number; timeoutMs: number }> = {
  poll: { batch: 10, most: 3, timeoutMs: 60_000 },
  copy: { batch: 1, most: 4, timeoutMs: 900_000 },
  dispatch: { batch: 10, most: 4, timeoutMs: 60_000 },
  deliver: { batch: 10, most: MOST_DELIVERIES, timeoutMs: 60_000 },
  'deliver-slow': { batch: 1, most: MOST_DELIVERIES, timeoutMs: 60_000 },
};

type Container = { readonly actor: Actor; readonly handler: StageHandler; invocations: number };

export type Functions = ReturnType<typeof createFunctions>;

/**
 * Lambda in virtual time: takes messages off the queues, starts containers and uses them again, ends those that
 * run out of time; and whatever the faults make of it: deaths at any call, freezes, clocks that differ and jump.
 */
export function createFunctions(world: World) {
  const { simulation, faults, queues } = world;
  const { random } = simulation;
  const idle = new Map<string, Container[]>();
  const running = new Map<Lane, number>();
  const everybody = new Set<Actor>();
  const ends = new Map<Actor, () => void>();
  const counted = { invocations: 0, deaths: 0, freezes: 0 };
  let started = 0;

  function start(stage: keyof typeof COLD_STARTS): Container {
    const actor = new Actor(`${stage}-${++started}`, newSkew());
    everybody.add(actor);
    return { actor, handler: simulation.as(actor, () => COLD_STARTS[stage](world)), invocations: 0 };
  }

  const newSkew = () =>
    faults.has('wrong clocks') ? random.integer(-CLOCKS_APART_MS / 2, CLOCKS_APART_MS / 2) : 0;

  /** Takes what is visible in a lane, as long as there are workers. */
  function pump(lane: Lane): void {
    const { batch, most, timeoutMs } = LANE_SETTINGS[lane];
    while ((running.get(lane) ?? 0) < most) {
      const messages = queues.receive(lane, batch, 6 * timeoutMs);
      if (messages.length === 0) return;
      invoke(lane, messages);
    }
  }

  function invoke(lane: Lane, messages: readonly Message[]): void {
    const stage = STAGE_OF[lane];
    const container = idle.get(stage)?.pop() ?? start(stage);
    const { actor } = container;
    const { timeoutMs } = LANE_SETTINGS[lane];
    const end = simulation.now + timeoutMs;
    let over = false;
    running.set(lane, (running.get(lane) ?? 0) + 1);
    counted.invocations++;
    container.invocations++;
    simulation.note('invoke', lane, actor.name, messages.length);

    const leave = () => {
      if (over) return false;
      over = true;
      ends.delete(actor);
      actor.die = undefined;
      running.set(lane, (running.get(lane) ?? 0) - 1);
      simulation.after(1, () => pump(lane));
      return true;
    };
    const die = () => {
      if (!leave()) return;
      actor.alive = false;
      everybody.delete(actor);
      counted.deaths++;
      simulation.note('died', actor.name);
    };
    ends.set(actor, die);
    actor.die = die;
    actor.fuse = newFuse(actor, die);
    const timeUp = () => {
      if (over) return;
      if (actor.frozenUntil > simulation.now) simulation.at(actor.frozenUntil + 1, timeUp);
      else die();
    };
    simulation.at(end, timeUp);

    const Records = messages.map(({ id, body }) => ({ messageId: id, body }) as SQSRecord);
    const context = {
      awsRequestId: randomUUID(),
      getRemainingTimeInMillis: () => end - simulation.now,
    } as Context;
    simulation
      .as(actor, () => container.handler({ Records } as SQSEvent, context))
      .then(
        ({ batchItemFailures }) => {
          if (!leave()) return;
          const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
          for (const message of messages) if (!failed.has(message.id)) queues.remove(lane, message);
          rest(stage, container);
        },
        (error: unknown) => {
          world.onCrash(lane, error);
          die();
        },
      );
  }

  /** What an invocation has before it; a function that is frozen goes on as if no time had passed. */
  function newFuse(
    actor: Actor,
    die: () => void,
    freezesMs: readonly number[] = [5_000, 100_000, 160_000, 400_000],
  ): Fuse | undefined {
    const calls = random.integer(1, random.pick([4, 10, 30]));
    const when = random.chance(0.5) ? ('before' as const) : ('after' as const);
    if (faults.strikes('killed workers', 0.08)) return { calls, when, burn: die };
    if (!faults.strikes('frozen workers', 0.08)) return undefined;
    const ms = random.pick(freezesMs);
    const burn = () => {
      counted.freezes++;
      simulation.freeze(actor, ms);
    };
    return { calls, when, burn };
  }

  function rest(stage: string, container: Container): void {
    container.actor.fuse = undefined;
    if (container.invocations >= 20 || random.chance(0.05)) everybody.delete(container.actor);
    else idle.set(stage, [...(idle.get(stage) ?? []), container]);
  }

  /** Ends every worker at once, as a deployment or a broken machine does. */
  function restart(): void {
    for (const die of [...ends.values()]) die();
    for (const actor of everybody) actor.alive = false;
    everybody.clear();
    idle.clear();
    simulation.note('restart');
  }

  function jumpClocks(): void {
    for (const actor of everybody) if (random.chance(0.3)) actor.skewMs = newSkew();
  }

  /** Sets every clock right, and ends all freezes. */
  function heal(): void {
    for (const actor of everybody) {
      actor.skewMs = 0;
      actor.fuse = undefined;
    }
  }

  return { pump, restart, jumpClocks, heal, newSkew, newFuse, counted };
}
