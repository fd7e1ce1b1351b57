/**
 * Rows as release 0.1 wrote them, attribute by attribute: what a later release finds in the table. Do not change them;
 * add those of the next release beside them.
 */
export const REQUEST_ID = '4f9c1a52-7d3e-4b8a-9c60-2e5d8f1a7b34';
export const REGISTERED_AT = Date.UTC(2026, 10, 23, 19, 50);

const pk = `REQ#${REQUEST_ID}`;

/** A request that has been polled five times; 0.1 kept what upstream said of the nodes in this row. */
export const REQUEST = {
  pk,
  sk: 'REQUEST',
  requestId: REQUEST_ID,
  state: 'active',
  status: 'processing',
  statusSince: REGISTERED_AT + 60_000,
  startedAt: REGISTERED_AT,
  registeredAt: REGISTERED_AT,
  observations: [{ at: REGISTERED_AT + 60_000, status: 'processing', progress: 10 }],
  polls: 5,
  sequence: 3,
  position: 3,
  copy: true,
  progress: 10,
  averageFps: 12.5,
  processingJobs: [{ id: 0, progress: 10 }],
  estimates: { cost: [1, 2], time: [300, 600] },
  lane: 'poll',
  dueAt: REGISTERED_AT + 120_000,
  listKey: 'requests#active',
  listAt: `${String(REGISTERED_AT).padStart(15, '0')}#${REQUEST_ID}`,
};

export const META = { pk, sk: 'META', metadata: { order: '42' }, callbacks: [] };

export const OUTBOX = { pk, sk: 'OUTBOX', accountCursor: { position: 3 }, callbackCursors: {} };
