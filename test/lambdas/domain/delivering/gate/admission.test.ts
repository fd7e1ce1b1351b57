import { describe, expect, test } from 'vitest';
import type { EndpointRow } from '../../../../../lambdas/domain/delivering/endpoint.ts';
import { admit, backlogOf, startOf } from '../../../../../lambdas/domain/delivering/gate/admission.ts';
import { GATE_LANE } from '../../../../../lambdas/domain/delivering/gate/gate.ts';
import { backlogPartition } from '../../../../../lambdas/domain/rows.ts';
import type { Lane } from '../../../../../lambdas/domain/work.ts';
import { endpointRow } from '../../../../support/rows.ts';

const open = { state: 'failing', failingSince: 1, openSince: 1 } as const;
const awake = { lane: GATE_LANE, dueAt: 1 };
const fresh = { failures: 0, endpointCreatedAt: endpointRow(1).createdAt };

describe('a delivery that is due', () => {
  const outcome = (
    changes: Partial<EndpointRow>,
    delivery: Partial<typeof fresh> = {},
    lane: Lane = 'deliver',
  ) => admit({ ...fresh, ...delivery }, lane, { endpoint: endpointRow(1, changes) }, 50);

  test('goes out to an endpoint that answers well', () => {
    expect(outcome({})).toEqual({ outcome: 'attempt', limits: [] });
    expect(outcome({ rateLimit: 5 })).toMatchObject({ outcome: 'attempt', limits: [{ perSecond: 5 }] });
  });

  test('is canceled when its endpoint is gone, or another was created by the same id since', () => {
    expect(admit(fresh, 'deliver', undefined, 50)).toEqual({ outcome: 'cancel' });
    expect(outcome({ createdAt: fresh.endpointCreatedAt + 1 })).toEqual({ outcome: 'cancel' });
  });

  test('is held by a disabled endpoint, retries too', () => {
    expect(outcome({ enabled: false })).toEqual({ outcome: 'wait', state: 'held' });
    expect(outcome({ enabled: false }, { failures: 1 })).toEqual({ outcome: 'wait', state: 'held' });
  });

  test('is held by an open breaker, unless it is a retry, a probe or asked for by a person', () => {
    expect(outcome({ health: open }, {}, 'deliver-slow')).toEqual({ outcome: 'wait', state: 'held' });
    expect(outcome({ health: open }, { failures: 1 }, 'deliver-slow')).toMatchObject({ outcome: 'attempt' });
    const bypass = { bypassesBreaker: true } as object;
    expect(outcome({ health: open }, bypass, 'deliver-slow')).toMatchObject({ outcome: 'attempt' });
  });

  test('waits for a client of a pull endpoint', () => {
    expect(outcome({ kind: 'pull' })).toEqual({ outcome: 'wait', state: 'pending' });
  });

  test('leaves the fast queue when its endpoint is not known to be quick', () => {
    const health = { state: 'healthy', slow: true, lastDeliveredAt: 1 } as const;
    expect(outcome({ health })).toEqual({ outcome: 'move', lane: 'deliver-slow' });
    expect(outcome({ health }, {}, 'deliver-slow')).toMatchObject({ outcome: 'attempt' });
  });
});

describe('a new delivery', () => {
  const start = (changes: Partial<EndpointRow>) => startOf({ endpoint: endpointRow(1, changes) });
  const backlogKey = backlogPartition(endpointRow(1));

  test.each<[string, Partial<EndpointRow>, object]>([
    ['goes to the fast queue when the endpoint answers well', {}, { lane: 'deliver' }],
    ['also within a rate limit, and in order', { rateLimit: 1, ordered: true }, { lane: 'deliver' }],
    ['goes to the slow queue when it does not', { health: { state: 'healthy' } }, { lane: 'deliver-slow' }],
    [
      'waits for a client of a pull endpoint',
      { kind: 'pull', enabled: false },
      { backlogKey, state: 'pending' },
    ],
    ['is held by a disabled endpoint', { enabled: false }, { backlogKey, state: 'held' }],
    ['is held by an open breaker', { health: open }, { backlogKey, state: 'held' }],
    [
      'lines up behind those that wait for a slot',
      { rateLimit: 1, ...awake },
      { backlogKey, state: 'pending' },
    ],
    ['does not line up where nothing limits it', awake, { lane: 'deliver' }],
  ])('%s', (_what, changes, expected) => {
    expect(start(changes)).toEqual(expected);
  });

  test.each<[string, Partial<EndpointRow>, object]>([
    ['goes out through an open breaker', { health: open }, { lane: 'deliver-slow' }],
    ['goes before those that wait for a slot', { rateLimit: 1, ...awake }, { lane: 'deliver' }],
    ['is held by a disabled endpoint', { enabled: false }, { backlogKey, state: 'held' }],
    ['waits for a client of a pull endpoint', { kind: 'pull' }, { backlogKey, state: 'pending' }],
  ])('that is a test %s', (_what, changes, expected) => {
    expect(startOf({ endpoint: endpointRow(1, changes) }, true)).toEqual(expected);
  });
});

test('a replayed delivery waits apart, but not from the clients of a pull endpoint', () => {
  const replayed = { inReplay: true } as const;
  expect(backlogOf(endpointRow(1), replayed)).not.toBe(backlogOf(endpointRow(1), {}));
  expect(backlogOf(endpointRow(1, { kind: 'pull' }), replayed)).toBe(backlogPartition(endpointRow(1)));
});
