import { SQSClient } from '@aws-sdk/client-sqs';
import type { Closing } from './closing.ts';
import type { Log } from './log.ts';
import { EventSourceMapping, type MessageFault } from './runtime/event-source-mapping.ts';
import type { LocalFunction } from './runtime/functions.ts';
import { REGION } from './runtime/resource-types.ts';
import type { WiredMapping } from './wiring.ts';

/** Starts the workers that poll the queues and invoke the functions with what they find. */
export function startQueueWorkers(
  mappings: readonly WiredMapping[],
  {
    endpoint,
    functionAt,
    log,
    messageFault,
  }: {
    endpoint: string;
    functionAt: (arn: string) => LocalFunction;
    log: Log;
    messageFault: MessageFault | undefined;
  },
  closing: Closing,
): {
  /** Work in progress continues. */
  pause(): void;
  resume(): void;
} {
  const starts = mappings.map(({ target, settings }) => {
    // Lambda polls with the role of the function, so it passes the front door like the function.
    const client = new SQSClient({ region: REGION, endpoint, credentials: target.credentials });
    closing(() => client.destroy());
    const worker = functionAt(target.settings.arn);
    return () =>
      new EventSourceMapping(
        settings,
        client,
        (event, traces) => worker.invoke(event, traces),
        log.of(target.settings.name),
        messageFault,
      );
  });
  let polling: EventSourceMapping[] = [];
  const pause = () => {
    for (const mapping of polling.splice(0)) mapping.stop();
  };
  const resume = () => {
    if (polling.length === 0) polling = starts.map((start) => start());
  };
  resume();
  closing(pause);
  return { pause, resume };
}
