import { beforeEach, onTestFailed } from 'vitest';
import { LAG_SEED, restartLag } from './lagging-reads.ts';

beforeEach(() => {
  restartLag();
  onTestFailed(() =>
    console.error(`Reads of the database lag: BRIDGE_LAG_SEED=${LAG_SEED} repeats this run.`),
  );
});
