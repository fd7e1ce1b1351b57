import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { delaySeconds, encodeHints, type Hint, hintGroup, type Lane } from '../domain/work.ts';

/** One message to send: rows of a lane that are due together, of one group (an endpoint) if any. */
export type HintMessage = { readonly hints: readonly Hint[]; readonly group?: string };

export type Hints = ReturnType<typeof createHints>;

/** Messages that SQS takes in one call. */
const BATCH = 10;
const CALLS_AT_ONCE = 8;

/**
 * Sends hints that name due rows. A hint that can't be sent is logged by the caller's `onLost` and
 * not thrown: the row is the truth, and the sweep finds it.
 */
export function createHints(options: {
  client: SQSClient;
  queueUrls: Partial<Record<Lane, string>>;
  now: () => number;
  onLost: (lane: Lane, count: number, error: unknown) => void;
}) {
  const { client, queueUrls, now, onLost } = options;

  /** Hints one row a message; rows due further away than SQS can delay are left to the sweep. */
  async function send(lane: Lane, hints: readonly Hint[]): Promise<void> {
    await sendPacked(
      lane,
      hints.map((hint) => ({ hints: [hint], group: hintGroup(lane, hint) })),
    );
  }

  /** Sends messages of several rows; a message is delayed until the last of its rows is due. */
  async function sendPacked(lane: Lane, messages: readonly HintMessage[]): Promise<void> {
    const entries = messages.flatMap(({ hints, group }) => {
      const delay = delaySeconds(Math.max(...hints.map((hint) => hint.dueAt)), now());
      if (delay === undefined) return [];
      return [{ MessageBody: encodeHints(lane, hints), DelaySeconds: delay, MessageGroupId: group }];
    });
    const batches = Array.from({ length: Math.ceil(entries.length / BATCH) }, (_, n) =>
      entries.slice(n * BATCH, (n + 1) * BATCH).map((entry, i) => ({ Id: String(i), ...entry })),
    );
    for (let at = 0; at < batches.length; at += CALLS_AT_ONCE) {
      await Promise.all(batches.slice(at, at + CALLS_AT_ONCE).map((batch) => sendBatch(lane, batch)));
    }
  }

  async function sendBatch(lane: Lane, batch: { Id: string; MessageBody: string }[]): Promise<void> {
    try {
      const { Failed = [] } = await client.send(
        new SendMessageBatchCommand({ QueueUrl: queueUrl(lane), Entries: batch }),
      );
      if (Failed.length > 0) onLost(lane, Failed.length, new Error(Failed[0]?.Message ?? 'refused by SQS'));
    } catch (error) {
      onLost(lane, batch.length, error);
    }
  }

  function queueUrl(lane: Lane): string {
    const url = queueUrls[lane];
    if (!url) throw new Error(`this stage has no queue for lane "${lane}": set its URL in the environment`);
    return url;
  }

  return { send, sendPacked };
}
