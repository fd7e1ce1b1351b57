import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { chunks } from '../domain/chunks.ts';
import type { Due, Hint, Lane } from '../domain/work.ts';
import { delaySeconds, encodeHints, hintGroup } from './hint-message.ts';

/** One message to send: rows of a lane that are due together, of one group (an endpoint) if any. */
export type HintMessage = { readonly hints: readonly Hint[]; readonly group?: string };

export type Hints = ReturnType<typeof createHints>;

/** What a commit made due: nothing, a row or several. */
export type DueRows = Due | undefined | readonly (Due | undefined)[];

/** The rows that are due, as a list. */
export const listOf = (due: DueRows): Due[] => [due].flat().filter((row) => row !== undefined);

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

  /**
   * Sends a message for each row that is due, where there is one; rows due further away than SQS can delay
   * are left to the sweep.
   */
  async function send(due: DueRows): Promise<void> {
    for (const [lane, rows] of Map.groupBy(listOf(due), (row) => row.lane)) {
      await sendPacked(
        lane,
        rows.map((row) => ({ hints: [row], group: hintGroup(lane, row) })),
      );
    }
  }

  /** Sends messages of several rows; a message is delayed until the last of its rows is due. */
  async function sendPacked(lane: Lane, messages: readonly HintMessage[]): Promise<void> {
    const entries = messages.flatMap(({ hints, group }) => {
      const delay = delaySeconds(Math.max(...hints.map((hint) => hint.dueAt)), now());
      if (delay === undefined) return [];
      return [{ MessageBody: encodeHints(lane, hints), DelaySeconds: delay, MessageGroupId: group }];
    });
    for (const batches of chunks(chunks(entries, BATCH), CALLS_AT_ONCE)) {
      const numbered = batches.map((batch) => batch.map((entry, i) => ({ Id: String(i), ...entry })));
      await Promise.all(numbered.map((batch) => sendBatch(lane, batch)));
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
