import http from 'node:http';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import type { Simulation } from './simulation.ts';

/**
 * Refuses what an actor sends past the simulation: virtual time would go on meanwhile, and the real time of
 * the answer would decide the run. Returns how to undo it.
 */
export function refuseRealCalls(simulation: Simulation): () => void {
  const real = { fetch: globalThis.fetch, http: http.request, https: https.request };

  const inside = <F extends (...args: never[]) => unknown>(send: F): F =>
    ((...args: Parameters<F>) => {
      const { actor } = simulation;
      if (actor) throw new Error(`${actor.name} sends something past the simulation: use simulation.call`);
      return send(...args);
    }) as F;

  globalThis.fetch = inside(real.fetch);
  http.request = inside(real.http as never);
  https.request = inside(real.https as never);
  syncBuiltinESMExports();
  return () => {
    globalThis.fetch = real.fetch;
    http.request = real.http;
    https.request = real.https;
    syncBuiltinESMExports();
  };
}
