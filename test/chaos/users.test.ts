import { expect, test } from 'vitest';
import type { ApiCalls } from './api-calls.ts';
import type { Faults } from './faults.ts';
import { randomFrom } from './random.ts';
import type { Simulation } from './simulation.ts';
import { createUsers } from './users.ts';

test('endpoints that are made at once have a URL each, by which the checker tells their webhooks apart', async () => {
  const simulation = { random: randomFrom(1), now: 0 } as unknown as Simulation;
  const api: ApiCalls = {
    call: async () => ({ status: 201, body: { id: 'ep_1', secret: 'whsec_1' } }),
    list: async () => [],
  };
  const users = createUsers(simulation, {} as Faults, api, async () => {});
  const made = await Promise.all([users.makeEndpoint('receiver'), users.makeEndpoint('receiver')]);
  expect(new Set(made.map(({ url }) => url)).size).toBe(2);
});
