import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Emulator, startSqs } from '../../../local/aws/emulators.ts';
import {
  EventSourceMapping,
  type MappingSettings,
  type MessageFault,
} from '../../../local/runtime/event-source-mapping.ts';
import { FunctionError } from '../../../local/runtime/functions.ts';
import { operator } from '../../../local/runtime/resources.ts';

type Event = {
  Records: { messageId: string; body: string; attributes: Record<string, string>; eventSourceARN: string }[];
};

let emulator: Emulator;
let sqs: SQSClient;
const mappings: EventSourceMapping[] = [];
let lines: string[];
const arn = (queue: string) => `arn:aws:sqs:us-east-1:000000000000:${queue}`;
const url = (queue: string) => `${emulator.url}/000000000000/${queue}`;
const bodies = ({ Records }: Event) => Records.map(({ body }) => body);

beforeEach(async () => {
  emulator = await startSqs();
  sqs = new SQSClient({ endpoint: emulator.url, region: 'us-east-1', credentials: operator });
  lines = [];
  await createQueue('dead', {});
  await createQueue('queue', {
    VisibilityTimeout: '1',
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arn('dead'), maxReceiveCount: 2 }),
  });
});
afterEach(async () => {
  for (const mapping of mappings.splice(0)) mapping.stop();
  sqs.destroy();
  await emulator.stop();
});

describe('an event source mapping', () => {
  it('invokes the function with messages as Lambda shapes them, and deletes them', async () => {
    const events: Event[] = [];
    await send('one');
    map(async (event) => events.push(event));
    await vi.waitFor(() => expect(events).toHaveLength(1), 10_000);
    expect(events[0]).toMatchObject({
      Records: [
        {
          body: 'one',
          eventSource: 'aws:sqs',
          eventSourceARN: arn('queue'),
          awsRegion: 'us-east-1',
          messageAttributes: {},
          attributes: { ApproximateReceiveCount: '1', SentTimestamp: expect.stringMatching(/^\d+$/) },
        },
      ],
    });
    await empty('queue');
  });

  it('makes batches of at most the batch size', async () => {
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map(send));
    const sizes: number[] = [];
    map(async ({ Records }) => sizes.push(Records.length), { batchSize: 2, maxConcurrency: 1 });
    await empty('queue');
    expect(sizes).toEqual([2, 2, 1]);
  });

  it.each([2, 12])('has as many batches in work as the concurrency allows, and no more: %i', async (most) => {
    await Promise.all(Array.from({ length: most + 2 }, (_, n) => send(`message ${n}`)));
    const running: Event[] = [];
    const release = Promise.withResolvers<void>();
    map(
      async (event) => {
        running.push(event);
        await release.promise;
      },
      { batchSize: 1, maxConcurrency: most },
    );
    await vi.waitFor(
      async () => expect(await counted('queue')).toEqual({ visible: 2, inFlight: most }),
      10_000,
    );
    expect(running).toHaveLength(most);
    release.resolve();
    await empty('queue');
    expect(running).toHaveLength(most + 2);
  });

  it('tries a batch again for which the account had no free place', async () => {
    await send('a');
    let tries = 0;
    const received: number[] = [];
    map(async ({ Records }) => {
      received.push(Number(Records[0]!.attributes.ApproximateReceiveCount));
      if (++tries < 3) throw new FunctionError('throttled', 'Rate Exceeded.');
    });
    await empty('queue');
    expect(received).toEqual([1, 1, 1]);
  });

  it('leaves only the messages that the function names as failed', async () => {
    await Promise.all(['good', 'bad'].map(send));
    const seen: string[] = [];
    map(async (event) => {
      seen.push(...bodies(event));
      return { batchItemFailures: failures(event, 'bad') };
    });
    await inDeadLetters(1);
    expect(seen.toSorted()).toEqual(['bad', 'bad', 'good']);
  });

  it('counts the receipts of a message that comes again', async () => {
    await send('bad');
    const counts: unknown[] = [];
    map(async (event) => {
      counts.push(event.Records[0]?.attributes.ApproximateReceiveCount);
      return { batchItemFailures: failures(event, 'bad') };
    });
    await inDeadLetters(1);
    expect(counts).toEqual(['1', '2']);
  });

  it.each<[string, unknown]>([
    ['throws', new Error('as told')],
    ['names a failure without an id', { batchItemFailures: [{}] }],
  ])('leaves the whole batch, and says why, when the function %s', async (_, result) => {
    await Promise.all(['a', 'b'].map(send));
    map(async () => {
      if (result instanceof Error) throw result;
      return result;
    });
    await inDeadLetters(2);
    expect(lines.length).toBeGreaterThan(0);
  });

  it('takes no notice of named failures when it was not set to', async () => {
    await send('bad');
    map(async (event) => ({ batchItemFailures: failures(event, 'bad') }), { reportsItemFailures: false });
    await empty('queue');
    expect(await counted('dead')).toEqual({ visible: 0, inFlight: 0 });
  });

  it('receives nothing once it is stopped, and lets the batch in work end', async () => {
    const started = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const mapping = map(
      async () => {
        started.resolve();
        await release.promise;
      },
      { batchSize: 1, maxConcurrency: 1 },
    );
    await send('first');
    await started.promise;
    mapping.stop();
    await send('second');
    release.resolve();
    await vi.waitFor(async () => expect(await counted('queue')).toEqual({ visible: 1, inFlight: 0 }), 10_000);
  });

  it('loses and doubles the messages that a test names', async () => {
    await Promise.all(['kept', 'lost', 'doubled'].map(send));
    const seen: string[] = [];
    const fault: MessageFault = (_, body) =>
      body === 'lost' ? 'lose' : body === 'doubled' ? 'double' : undefined;
    map(async (event) => seen.push(...bodies(event)), { batchSize: 1 }, fault);
    await vi.waitFor(() => expect(seen.toSorted()).toEqual(['doubled', 'doubled', 'kept']), 10_000);
    await empty('queue');
  });

  it('goes on polling after the queue could not be reached', async () => {
    const events: Event[] = [];
    const settings = { queueUrl: url('later'), queueName: 'later' };
    map(async (event) => events.push(event), settings);
    await vi.waitFor(() => expect(lines.join()).toContain('later cannot be polled'), 10_000);
    await createQueue('later', {});
    await sqs.send(new SendMessageCommand({ QueueUrl: url('later'), MessageBody: 'one' }));
    await vi.waitFor(() => expect(events).toHaveLength(1), 10_000);
  });
});

function map(
  invoke: (event: Event) => Promise<unknown>,
  settings: Partial<MappingSettings> = {},
  fault?: MessageFault,
): EventSourceMapping {
  const mapping = new EventSourceMapping(
    {
      queueName: 'queue',
      queueUrl: url('queue'),
      queueArn: arn('queue'),
      visibilityMs: 1_000,
      batchSize: 10,
      maxConcurrency: 2,
      reportsItemFailures: true,
      ...settings,
    },
    sqs,
    (event) => invoke(event as Event),
    (line) => lines.push(line),
    fault,
  );
  mappings.push(mapping);
  return mapping;
}

function failures({ Records }: Event, body: string) {
  return Records.filter((record) => record.body === body).map(({ messageId }) => ({
    itemIdentifier: messageId,
  }));
}

function createQueue(QueueName: string, Attributes: Record<string, string>) {
  return sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
}

function send(MessageBody: string) {
  return sqs.send(new SendMessageCommand({ QueueUrl: url('queue'), MessageBody }));
}

async function counted(queue: string) {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url(queue), AttributeNames: ['All'] }),
  );
  return {
    visible: Number(Attributes.ApproximateNumberOfMessages),
    inFlight: Number(Attributes.ApproximateNumberOfMessagesNotVisible),
  };
}

async function empty(queue: string) {
  await vi.waitFor(async () => expect(await counted(queue)).toEqual({ visible: 0, inFlight: 0 }), 10_000);
}

async function inDeadLetters(messages: number) {
  await vi.waitFor(async () => expect((await counted('dead')).visible).toBe(messages), 15_000);
}
