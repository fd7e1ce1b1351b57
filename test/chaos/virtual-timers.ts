import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers';
import timersPromises from 'node:timers/promises';
import type { Simulation } from './simulation.ts';

/**
 * Lets timers that an actor sets run in the simulation's time: those of the stages' leases and of the AWS SDK's
 * retries among them. Timers of everything else stay real. Returns how to undo it.
 */
export function useVirtualTimers(simulation: Simulation): () => void {
  const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis;
  const real = {
    setTimeout,
    setInterval,
    clearTimeout,
    clearInterval,
    random: Math.random,
    timeout: AbortSignal.timeout,
    pause: timersPromises.setTimeout,
  };

  class Timer {
    cancel = () => {};
    ref = () => this;
    unref = () => this;
    hasRef = () => true;
    refresh = () => this;
    [Symbol.toPrimitive] = () => 0;
  }

  function once(run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) {
    const { actor } = simulation;
    if (!actor) return real.setTimeout(run, ms, ...args);
    const timer = new Timer();
    timer.cancel = simulation.reach(actor, Math.max(0, ms), () => run(...args));
    return timer;
  }

  function repeatedly(run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) {
    const { actor } = simulation;
    if (!actor) return real.setInterval(run, ms, ...args);
    const timer = new Timer();
    const next = () => {
      timer.cancel = simulation.reach(actor, Math.max(1, ms), () => {
        next();
        run(...args);
      });
    };
    next();
    return timer;
  }

  const clear = (timer: unknown) => {
    if (timer instanceof Timer) timer.cancel();
    else real.clearTimeout(timer as NodeJS.Timeout);
  };

  function timeout(ms: number): AbortSignal {
    const { actor } = simulation;
    if (!actor) return real.timeout.call(AbortSignal, ms);
    const controller = new AbortController();
    simulation.reach(actor, ms, () => controller.abort(new DOMException('timed out', 'TimeoutError')));
    return controller.signal;
  }

  async function pause<T>(ms = 0, value?: T, options?: { signal?: AbortSignal }): Promise<T | undefined> {
    if (!simulation.actor) return real.pause(ms, value, options);
    await simulation.sleep(ms, options?.signal);
    return value;
  }

  const virtual = {
    setTimeout: once,
    setInterval: repeatedly,
    clearTimeout: clear,
    clearInterval: clear,
  };
  Object.assign(globalThis, virtual);
  Object.assign(timers, virtual);
  Object.assign(AbortSignal, { timeout });
  Object.assign(timersPromises, { setTimeout: pause });
  // The SDK's retries draw from it.
  Math.random = () => (simulation.actor ? simulation.random.next() : real.random());
  syncBuiltinESMExports();

  return () => {
    Object.assign(globalThis, { setTimeout, setInterval, clearTimeout, clearInterval });
    Object.assign(timers, { setTimeout, setInterval, clearTimeout, clearInterval });
    Object.assign(AbortSignal, { timeout: real.timeout });
    Object.assign(timersPromises, { setTimeout: real.pause });
    Math.random = real.random;
    syncBuiltinESMExports();
  };
}
