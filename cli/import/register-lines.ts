import { createHash } from 'node:crypto';
import { batchesOf, MAX_BATCH } from '../../client/batches.ts';
import type { BatchItem, Client, Registration } from '../../client/client.ts';
import type { throughOutages } from '../command/through-outages.ts';
import { isTracked, type Journal, type Result } from './journal.ts';
import type { BadLine, Entry } from './read-registrations.ts';
import type { Finding } from './report.ts';

/** The outcomes of the lines. */
export type Counts = {
  /** Lines that have been dealt with, and the last of them. */
  read: number;
  line: number;
  /** Tracked now for the first time. */
  registered: number;
  /** Tracked already when they were sent. */
  known: number;
  /** By an earlier run of this import. */
  earlier: number;
  refused: number;
  unreadable: number;
  repeated: number;
  differs: number;
};

export const noCounts = (): Counts => ({
  read: 0,
  line: 0,
  registered: 0,
  known: 0,
  earlier: 0,
  refused: 0,
  unreadable: 0,
  repeated: 0,
  differs: 0,
});

type Dependencies = {
  /** Undefined registers nothing, and only looks at the lines. */
  readonly bridge: Pick<Client['requests'], 'registerMany'> | undefined;
  readonly journal: Journal;
  readonly counts: Counts;
  readonly onFinding: (finding: Finding) => void;
  readonly onProgress: () => void;
  /** Registrations a second, at most. */
  readonly rate: number | undefined;
  readonly sleep: (ms: number) => Promise<void>;
  /** Makes a call, and again while the bridge is away. */
  readonly call: ReturnType<typeof throughOutages>;
};

type Pending = Entry & { readonly content: string };

/**
 * Registers each id once, in batches, one after the other. The journal has the results of a batch before the next one
 * is sent.
 */
export async function registerLines(
  lines: AsyncIterable<Entry | BadLine>,
  dependencies: Dependencies,
): Promise<void> {
  const { bridge, rate, sleep, onProgress } = dependencies;
  // A slow import goes in small steps rather than in a hundred at a time.
  const most = rate === undefined ? MAX_BATCH : Math.min(MAX_BATCH, Math.max(1, Math.floor(rate)));
  let notBefore = 0;
  const pending = newOnes(lines, dependencies);
  for await (const batch of batchesOf(pending, ({ registration }) => registration, most)) {
    if (bridge) {
      const early = notBefore - Date.now();
      if (early > 0) await sleep(early);
      if (rate !== undefined) notBefore = Date.now() + (batch.length / rate) * 1_000;
      await registerBatch(bridge, batch, dependencies);
    } else dependencies.counts.registered += batch.length;
    onProgress();
  }
  onProgress();
}

/** Those lines that are to be sent. */
async function* newOnes(
  lines: AsyncIterable<Entry | BadLine>,
  { journal, counts, onFinding }: Dependencies,
): AsyncGenerator<Pending> {
  const seen = new Map<string, Pick<Pending, 'line' | 'content'>>();
  for await (const each of lines) {
    const { line } = each;
    counts.read++;
    counts.line = line;
    if ('reason' in each) {
      counts.unreadable++;
      onFinding({ line, kind: 'unreadable', reason: each.reason });
      continue;
    }
    const { requestId } = each.registration;
    const content = hashOf(each.registration);
    const before = seen.get(requestId);
    const earlier = journal.tracked.get(requestId);
    if (before === undefined) seen.set(requestId, { line, content });
    if (before?.content === content) {
      counts.repeated++;
      onFinding({ line, requestId, kind: 'repeated', reason: `It is the same as line ${before.line}.` });
    } else if (before) {
      counts.differs++;
      const reason = `Line ${before.line} has this id with other values: keep one line for each id.`;
      onFinding({ line, requestId, kind: 'differs', reason });
    } else if (earlier?.content === content) counts.earlier++;
    else if (earlier) {
      counts.differs++;
      const reason = `An earlier run registered it from line ${earlier.line} with other values, which the bridge keeps.`;
      onFinding({ line, requestId, kind: 'differs', reason });
    } else yield { ...each, content };
  }
}

async function registerBatch(
  bridge: Pick<Client['requests'], 'registerMany'>,
  batch: readonly Pending[],
  { journal, counts, onFinding, call }: Dependencies,
): Promise<void> {
  const items = batch.map(({ registration }) => registration);
  const answers = await call(async () => {
    const given: BatchItem[] = [];
    for await (const item of bridge.registerMany(items, { idempotencyKey: journal.key })) given.push(item);
    return given;
  });
  const results = batch.map(({ line, registration, content }, at): Result => {
    const { requestId } = registration;
    const { status, error } = answers[at] ?? NO_ANSWER;
    return { line, requestId, status, content, reason: error?.detail };
  });
  journal.add(results);
  for (const [at, { line, requestId, status, reason = NO_ANSWER.error.detail }] of results.entries()) {
    if (status === 201) counts.registered++;
    else if (isTracked(status)) counts.known++;
    else {
      counts.refused++;
      const errors = answers[at]?.error?.errors;
      onFinding({ line, requestId, kind: 'refused', status, reason, ...(errors ? { errors } : {}) });
    }
  }
}

const NO_ANSWER = { status: 500, error: { detail: 'The bridge did not say why.', errors: undefined } };

/** Which of two lines is the same registration. */
const hashOf = (registration: Registration): string =>
  createHash('sha256').update(JSON.stringify(registration)).digest('base64url').slice(0, 22);
