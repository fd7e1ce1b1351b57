import { describe, expect, test } from 'vitest';
import { finished, http, REQUEST_ID, simulatedTopaz } from './simulated-topaz.ts';

describe('the calls that steer the simulation', () => {
  test('list each job with its status and how often it was called', async () => {
    const topaz = await simulatedTopaz();
    const faults = [{ at: 'status', kind: 'noProgress' }];
    await topaz.set({ trace: finished(), bytes: 10, speed: 3, faults });
    await http(await topaz.downloadUrl());
    const { items } = (await (await fetch(`${topaz.url}/_sim/jobs`)).json()) as { items: unknown[] };
    expect(items).toEqual([
      {
        requestId: REQUEST_ID,
        status: 'complete',
        progress: 100,
        startedAt: '2026-11-23T20:00:00.000Z',
        speed: 3,
        bytes: 10,
        statusCalls: 1,
        downloadCalls: 1,
        sentBytes: 10,
        faults,
      },
    ]);
  });

  test('set a job up again, which begins again', async () => {
    const topaz = await simulatedTopaz();
    await topaz.set();
    topaz.wait(100);
    await topaz.set();
    expect((await topaz.status()).status).toBe('requested');
  });

  test.each([
    ['no JSON', '/_sim/jobs', '{', 'not JSON'],
    ['an id that is no UUID', '/_sim/jobs', { requestId: 'x' }, 'requestId'],
    ['an unknown field', '/_sim/jobs', { requestId: REQUEST_ID, sped: 2 }, 'sped'],
    [
      'an unknown fault',
      '/_sim/jobs',
      { requestId: REQUEST_ID, faults: [{ at: 'status', kind: 'x' }] },
      'faults.0.kind',
    ],
    [
      'a fault of another place',
      '/_sim/faults',
      { faults: [{ at: 'status', kind: 'gzip' }] },
      'faults.0.kind',
    ],
    [
      'a trace out of order',
      '/_sim/jobs',
      {
        requestId: REQUEST_ID,
        trace: {
          statuses: [
            ['a', 1],
            ['b', 0],
          ],
        },
      },
      'trace.statuses',
    ],
    ['more than 200 GiB', '/_sim/jobs', { requestId: REQUEST_ID, bytes: 200 * 1024 ** 3 + 1 }, 'bytes'],
    ['an empty key', '/_sim/key', { key: '' }, 'key'],
  ])('refuse %s with a message that names it', async (_, path, body, named) => {
    const topaz = await simulatedTopaz();
    const answer = await topaz.post(path, body);
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { message: string }).message).toContain(named);
  });

  test.each(['/_sim/nothing', '/video', '/'])('answer 404 at %s', async (path) => {
    const topaz = await simulatedTopaz();
    expect((await fetch(topaz.url + path)).status).toBe(404);
  });
});
