import { createHash, randomBytes } from 'node:crypto';

/** A function is invoked so often in one chain of requests, and then no more unless it allows recursion. */
export const MAX_PASSES = 16;

/** The attribute in which the emulator carries the trace header; it knows no system attributes. */
export const CARRIER = 'AWSTraceHeader';

export type MessageAttributes = {
  MessageAttributes?: Record<string, { DataType?: string; StringValue?: string }>;
};

/** The message as a function gets it: with the trace header among the attributes that SQS gives. */
export function withTraceHeader<M extends MessageAttributes & { Attributes?: Record<string, string> }>(
  message: M,
): M {
  const { [CARRIER]: header, ...MessageAttributes } = message.MessageAttributes ?? {};
  if (!header?.StringValue) return message;
  return {
    ...message,
    MessageAttributes,
    Attributes: { ...message.Attributes, [CARRIER]: header.StringValue },
  };
}

/** Function's passes in the chain that led to the headers; the highest of several. */
export function passesOf(functionArn: string, headers: (string | undefined)[]): number {
  return lineageOf(headers).get(nameOf(functionArn)) ?? 0;
}

/**
 * The trace header of an invocation that the headers led to: it counts one more pass of the function. A batch of
 * messages carries the highest count of each function, an assumption: AWS documents no rule for batches.
 */
export function traceHeader(functionArn: string, headers: (string | undefined)[]): string {
  const lineage = lineageOf(headers).set(nameOf(functionArn), passesOf(functionArn, headers) + 1);
  const root = headers.map((header) => /Root=([^;]+)/.exec(header ?? '')?.[1]).find(Boolean) ?? newRoot();
  const passes = [...lineage].map(([name, count]) => `${name}:${count}`).join('|');
  return `Root=${root};Parent=${randomBytes(8).toString('hex')};Sampled=0;Lineage=${passes}`;
}

function lineageOf(headers: (string | undefined)[]): Map<string, number> {
  const lineage = new Map<string, number>();
  for (const header of headers) {
    const passes = /Lineage=([^;]+)/.exec(header ?? '')?.[1] ?? '';
    for (const [, name = '', count] of passes.matchAll(/([0-9a-f]{8}):(\d+)/g)) {
      lineage.set(name, Math.max(lineage.get(name) ?? 0, Number(count)));
    }
  }
  return lineage;
}

const nameOf = (functionArn: string): string =>
  createHash('sha256').update(functionArn).digest('hex').slice(0, 8);

const newRoot = (): string =>
  `1-${Math.floor(Date.now() / 1000).toString(16)}-${randomBytes(12).toString('hex')}`;
