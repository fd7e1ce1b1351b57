import { expect, test } from 'vitest';
import { type Bounds, initialState, keyOf, type Mutate, mutantsOf, samples, successors } from './protocol.ts';
import { search } from './search.ts';

const asIs: Mutate = (_name, write) => write;
const explore = (bounds: Bounds, mutate: Mutate = asIs) =>
  search(initialState(bounds), (state) => successors(state, mutate), keyOf);

/** `MODEL=deep` explores some 540,000 states. */
const BOUNDS: Bounds[] =
  process.env.MODEL === 'deep'
    ? [{ claims: 3, steps: 2, orders: 1, workers: 3 }]
    : [
        { claims: 3, steps: 1, orders: 1, workers: 3 },
        { claims: 3, steps: 2, orders: 0, workers: 3 },
      ];

test.each(BOUNDS)(
  'hints that are lost, late, doubled or swept, lost answers and orders from outside break nothing: %o',
  (bounds) => {
    const { states, path = [], broken } = explore(bounds);
    expect({ broken, path }).toEqual({ broken: undefined, path: [] });
    console.info(`the claim protocol has ${states} states within ${JSON.stringify(bounds)}`);
    expect(states).toBeGreaterThan(50_000);
  },
);

const mutants = samples().flatMap(([name, write]) => mutantsOf(name, write));

test.each(mutants)('the search notices $what', ({ mutate }) => {
  expect(explore({ claims: 3, steps: 1, orders: 1, workers: 3 }, mutate).broken).toBeDefined();
});
