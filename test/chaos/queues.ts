import { GetQueueAttributesCommand, SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { LANES, type Lane } from '../../lambdas/domain/work.ts';
import { jsonCallPermissions } from '../../local/aws/aws-calls.ts';
import type { Faults } from './faults.ts';
import type { PermissionLog } from './permission-log.ts';
import type { Simulation } from './simulation.ts';

export type Message = { readonly id: string; readonly body: string; visibleAt: number; receives: number };

/** After so many receives SQS moves a message to the dead letters. */
const MAX_RECEIVES = 10;

export type Queues = ReturnType<typeof createQueues>;

/**
 * SQS in virtual time, at the boundary of its client: messages get lost, come twice, late and in any order.
 *
 * @param onMessage a message of the lane becomes visible at a virtual time
 */
export function createQueues(
  simulation: Simulation,
  faults: Faults,
  permissions: PermissionLog,
  onMessage: (lane: Lane, at: number) => void,
) {
  const { random } = simulation;
  const messages = new Map<Lane, Message[]>(LANES.map((lane) => [lane, []]));
  let count = 0;
  let left: readonly Lane[] = [];

  function put(lane: Lane, body: string, delayMs: number): void {
    const late = faults.strikes('late messages', 0.05)
      ? random.integer(1, 1_200) * 1_000
      : random.integer(1, 300);
    const message = { id: `m${++count}`, body, visibleAt: simulation.now + delayMs + late, receives: 0 };
    messages.get(lane)?.push(message);
    onMessage(lane, message.visibleAt);
  }

  function accept(
    lane: Lane,
    { MessageBody = '', DelaySeconds = 0 }: { MessageBody?: string; DelaySeconds?: number },
  ) {
    if (faults.strikes('lost messages', 0.1)) return;
    put(lane, MessageBody, DelaySeconds * 1_000);
    if (faults.strikes('doubled messages', 0.1)) put(lane, MessageBody, DelaySeconds * 1_000);
  }

  async function send(command: unknown): Promise<unknown> {
    const fate = faults.awsCall('sqs', {
      throttled: () => Object.assign(new Error('throttled'), { name: 'ThrottlingException' }),
      failed: () => Object.assign(new Error('failed'), { name: 'InternalError' }),
    });
    if (command instanceof SendMessageBatchCommand) {
      const { QueueUrl, Entries = [] } = command.input;
      permissions.note(...jsonCallPermissions('sqs', 'SendMessageBatch', { QueueUrl }));
      const isLost = left.includes(QueueUrl as Lane) && simulation.actor?.name !== 'tick';
      return simulation.call('SendMessageBatch', fate, async () => {
        const Failed = Entries.filter(() => faults.strikes('failing calls', 0.01)).map(({ Id }) => ({
          Id,
          Message: 'no',
        }));
        for (const entry of Entries)
          if (!isLost && !Failed.some(({ Id }) => Id === entry.Id)) accept(QueueUrl as Lane, entry);
        return { Failed };
      });
    }
    if (command instanceof GetQueueAttributesCommand) {
      const lane = command.input.QueueUrl as Lane;
      permissions.note(...jsonCallPermissions('sqs', 'GetQueueAttributes', { QueueUrl: lane }));
      return simulation.call('GetQueueAttributes', fate, async () => ({
        Attributes: { ApproximateNumberOfMessages: String(visible(lane).length) },
      }));
    }
    throw new Error('no such call of SQS in the simulation');
  }

  const visible = (lane: Lane): Message[] =>
    (messages.get(lane) ?? []).filter(({ visibleAt }) => visibleAt <= simulation.now);

  /** Takes up to `most` messages in any order; they come back after `visibilityMs`, unless they are deleted. */
  function receive(lane: Lane, most: number, visibilityMs: number): Message[] {
    const taken = random.shuffled(visible(lane)).slice(0, most);
    for (const message of taken) {
      message.receives++;
      message.visibleAt = simulation.now + visibilityMs;
      if (message.receives > MAX_RECEIVES) remove(lane, message);
      else onMessage(lane, message.visibleAt);
    }
    return taken.filter(({ receives }) => receives <= MAX_RECEIVES);
  }

  function remove(lane: Lane, message: Message): void {
    const queue = messages.get(lane) ?? [];
    const at = queue.indexOf(message);
    if (at >= 0) queue.splice(at, 1);
  }

  return {
    client: { send } as unknown as SQSClient,
    urls: Object.fromEntries(LANES.map((lane) => [lane, lane])) as Record<Lane, string>,
    receive,
    remove,
    /** From now on all messages of these lanes are lost but those of the tick. */
    leaveToTicks: (lanes: readonly Lane[]) => {
      left = lanes;
    },
    purge: () => {
      for (const queue of messages.values()) queue.length = 0;
    },
  };
}
