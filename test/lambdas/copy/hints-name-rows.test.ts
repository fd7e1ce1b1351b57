import { afterEach, expect, test } from 'vitest';
import { movingClock } from '../../support/claims.ts';
import { useDatabase } from '../../support/dynamodb.ts';
import { expectHintsToNameRows } from '../../support/recorded-hints.ts';
import { type CopyWorld, PART, SIZE, startCopyWorld } from './copy-world.ts';
import { firstTimes, isComplete, isPart } from './faulty-proxy.ts';

const database = useDatabase();
let world: CopyWorld;
afterEach(() => world.stop());

const refusal = { kind: 'refuse', status: 503, code: 'SlowDown' } as const;

/**
 * Each fault, set so that it strikes after the first look at the source, or so often that one worker gives up
 * (four tries).
 */
const FAULTS: [
  string,
  { bytes?: number; download?: object; bucket?: Parameters<CopyWorld['setS3Faults']>[0] },
][] = [
  ['of many segments', { bytes: 9 * PART }],
  ['of one part', { bytes: PART / 2 }],
  ['whose URL is refused', { download: { kind: 'http', status: 403, skip: 1, times: 4 } }],
  ['whose source is busy at first', { download: { kind: 'http', status: 503, times: 2 } }],
  ['whose source is busy later', { download: { kind: 'http', status: 503, skip: 1, times: 8 } }],
  ['whose bytes change', { download: { kind: 'changed', skip: 2 } }],
  ['whose parts are not taken', { bucket: firstTimes(8, isPart, refusal) }],
  ['whose completion is not taken', { bucket: firstTimes(10, isComplete, refusal) }],
  ['that fails', { download: { kind: 'gzip', skip: 1 } }],
];

test.each(FAULTS)(
  'a copy %s hints its rows at the times that they have',
  async (_name, { bytes = SIZE, download, bucket }) => {
    world = await startCopyWorld({ database: database(), clock: movingClock(Date.now()) });
    if (bucket) world.setS3Faults(bucket);
    const requestId = await world.begin(bytes, {
      faults: download ? [{ at: 'download', ...download }] : [],
    });
    for (let steps = 0; ; steps++) {
      expect(steps).toBeLessThan(60);
      world.hints.clear();
      if (!(await world.step())) break;
      if (world.hints.sent.length > 0) await expectHintsToNameRows(world.table, world.hints);
    }
    expect(await world.requestOf(requestId)).toMatchObject({ state: 'done' });
  },
);
