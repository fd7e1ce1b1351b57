import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import type { Random } from './random.ts';

/** A process of the simulated world. What it starts stops when it dies, and waits while it is frozen. */
export class Actor {
  readonly name: string;
  alive = true;
  /** Virtual time until which nothing reaches it, ms. */
  frozenUntil = 0;
  /** How far its clock is ahead, ms. */
  skewMs: number;
  /** What happens to it at one of its next calls. */
  fuse: Fuse | undefined;
  /** Ends it, while it is at work for others; its calls are crash points. */
  die: (() => void) | undefined;

  constructor(name: string, skewMs = 0) {
    this.name = name;
    this.skewMs = skewMs;
  }
}

/** Burns at the given call from now on, before that call leaves or after it took effect and before its answer is seen. */
export type Fuse = { calls: number; readonly when: 'before' | 'after'; readonly burn: () => void };

/** The call at which the process that makes it dies, or stands still for `freezeMs` (virtual ms). */
export type Crash = {
  readonly atCall: number;
  readonly when: 'before' | 'after';
  readonly freezeMs?: number;
};

type Event = { readonly at: number; readonly order: number; readonly run: () => void | Promise<void> };

/** How one call to the outside goes; times in virtual ms. */
export type Fate = {
  /** Until the call arrives. */
  readonly there: number;
  /** Until its answer is seen. */
  readonly back: number;
  /** The call never arrives, and this is what the caller sees. */
  readonly before?: () => unknown;
  /** The call takes effect, and this is what the caller sees in place of the answer. */
  readonly after?: () => unknown;
};

/** What a replaced answer is: thrown when it is an error, returned otherwise. */
function shown<T>(seen: unknown): T {
  if (seen instanceof Error) throw seen;
  return seen as T;
}

const immediately = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * Virtual time for everything in this process that runs as an {@link Actor}. One event runs at a time, and the
 * next begins when everything that it set off waits again, so that the same seed gives the same run though
 * the emulators behind the calls are real.
 */
export class Simulation {
  readonly random: Random;
  now: number;
  /** Events so far. */
  events = 0;
  /** Calls so far of actors that can die. */
  calls = 0;
  /** What happens to the process that makes one call. */
  crash: Crash | undefined;
  readonly #actors = new AsyncLocalStorage<Actor>();
  readonly #trace = createHash('sha256');
  #heap: Event[] = [];
  #order = 0;

  constructor(random: Random, start: number) {
    this.random = random;
    this.now = start;
  }

  get actor(): Actor | undefined {
    return this.#actors.getStore();
  }

  /** Notes what happened; the digest of all notes tells whether two runs were the same. */
  note(...what: unknown[]): void {
    const line = `${this.now} ${this.actor?.name ?? '-'} ${what.join(' ')}\n`;
    this.#trace.update(line);
    this.onNote?.(line);
  }
  onNote: ((line: string) => void) | undefined;

  digest(): string {
    return this.#trace.copy().digest('hex').slice(0, 16);
  }

  /** Runs something at a virtual time; returns how to call it off. */
  at(time: number, run: () => void | Promise<void>): () => void {
    let off = false;
    push(this.#heap, {
      at: Math.max(time, this.now),
      order: this.#order++,
      run: () => (off ? undefined : run()),
    });
    return () => {
      off = true;
    };
  }

  after(ms: number, run: () => void | Promise<void>): () => void {
    return this.at(this.now + ms, run);
  }

  /** Runs something in an actor's name. */
  as<T>(actor: Actor, run: () => T): T {
    return this.#actors.run(actor, run);
  }

  /** Reaches an actor after `ms`, when it is not frozen; never when it is dead. */
  reach(actor: Actor, ms: number, run: () => void): () => void {
    let off = false;
    const deliver = () => {
      if (off || !actor.alive) return;
      if (actor.frozenUntil > this.now) {
        this.at(actor.frozenUntil, deliver);
        return;
      }
      this.as(actor, run);
    };
    this.after(ms, deliver);
    return () => {
      off = true;
    };
  }

  /** Lets a process stand still, as Lambda does between invocations and machines do at any moment. */
  freeze(actor: Actor, ms: number): void {
    actor.frozenUntil = this.now + ms;
    this.note('frozen', actor.name, ms);
  }

  /** A call of the present actor to the outside. */
  call<T>(name: string, fate: Fate, effect: () => Promise<T>): Promise<T> {
    const { actor } = this;
    if (!actor) throw new Error(`a call outside of any actor: ${name}`);
    return new Promise<T>((resolve, reject) => {
      const end = this.#endAt(actor);
      if (end?.when === 'before') end.burn();
      if (!actor.alive) return;
      // A process that stands still sends what it was about to send when it goes on.
      const there = Math.max(0, actor.frozenUntil - this.now) + fate.there;
      const answer = (ms: number, seen: () => T) =>
        void this.reach(actor, ms, () => {
          try {
            resolve(seen());
          } catch (error) {
            reject(error);
          }
        });
      if (fate.before) {
        const { before } = fate;
        this.note('call', name, 'not arrived');
        answer(there + fate.back, () => shown<T>(before()));
        return;
      }
      this.after(there, async () => {
        if (!actor.alive) return;
        this.as(actor, () => this.note('call', name, fate.after ? 'answer lost' : ''));
        const settled = await this.#actors.exit(effect).then(
          (value) => () => value,
          (error: unknown) => () => {
            throw error;
          },
        );
        const { after } = fate;
        if (end?.when === 'after') end.burn();
        answer(fate.back, after ? () => shown<T>(after()) : settled);
      });
    });
  }

  /** What this call of the actor is the end of, if it is. */
  #endAt(actor: Actor): Pick<Fuse, 'when' | 'burn'> | undefined {
    const { fuse, die } = actor;
    if (die && ++this.calls === this.crash?.atCall) {
      const { when, freezeMs } = this.crash;
      if (freezeMs === undefined) return { when, burn: die };
      return { when, burn: () => this.freeze(actor, freezeMs) };
    }
    return fuse !== undefined && --fuse.calls === 0 ? fuse : undefined;
  }

  /** The actor in whose name the code runs. */
  present(): Actor {
    const { actor } = this;
    if (!actor) throw new Error('called outside of any actor');
    return actor;
  }

  /** Waits in virtual time, in the present actor's name. */
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const actor = this.present();
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const cancel = this.reach(actor, ms, () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      });
      const abort = () => {
        cancel();
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Runs the next event, if it is due by `until`; false when there is none. */
  async step(until: number): Promise<boolean> {
    const next = this.#heap[0];
    if (!next || next.at > until) return false;
    pop(this.#heap);
    this.now = Math.max(this.now, next.at);
    this.events++;
    await next.run();
    await settle();
    return true;
  }

  async runUntil(time: number): Promise<void> {
    while (await this.step(time));
    this.now = Math.max(this.now, time);
  }

  /** Runs until a promise of the simulated world settles. */
  async runFor<T>(promise: Promise<T>): Promise<T> {
    let done = false;
    const finished = promise.finally(() => {
      done = true;
    });
    finished.catch(() => {});
    await settle();
    while (!done) {
      if (!(await this.step(Number.POSITIVE_INFINITY)))
        throw new Error('everything waits and nothing will come');
    }
    return finished;
  }
}

/** Until everything that an event has set off waits: promises, and what Node runs right after them. */
async function settle(): Promise<void> {
  await immediately();
  await immediately();
}

const before = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

function push(heap: Event[], event: Event): void {
  let at = heap.push(event) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!before(event, heap[parent] as Event)) break;
    heap[at] = heap[parent] as Event;
    at = parent;
  }
  heap[at] = event;
}

function pop(heap: Event[]): void {
  const last = heap.pop();
  if (!last || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1] as Event, heap[child] as Event)) child++;
    if (!before(heap[child] as Event, last)) break;
    heap[at] = heap[child] as Event;
    at = child;
  }
  heap[at] = last;
}
