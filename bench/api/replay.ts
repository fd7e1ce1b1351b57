import { setTimeout as sleep } from 'node:timers/promises';

/** A call as the SDK hands it to its HTTP client, and what that answers. */
export type HttpRequest = { readonly headers: Readonly<Record<string, string>> };
export type HttpAnswer = { body?: unknown };

type Answered = { readonly answer: HttpAnswer; readonly bytes: Uint8Array };

/**
 * Answers calls to DynamoDB as they were answered before, in this process: what is left of a route's time is the
 * bridge's own, with the SDK's.
 *
 * @param latencyMs how long each of these answers takes
 */
export function createReplay(latencyMs: number) {
  let recorded: { readonly kind: string; readonly answered: Promise<Answered> }[] | undefined;
  let left: Map<string, Promise<Answered>[]> | undefined;

  /** Sends a call, or answers it with what the calls of its kind were answered in `record`, in their order. */
  async function send<A extends HttpAnswer>({ headers }: HttpRequest, next: () => Promise<A>): Promise<A> {
    const kind = headers['x-amz-target'] ?? '';
    if (left) {
      const answered = await left.get(kind)?.shift();
      if (!answered) throw new Error(`The replayed call made more ${kind} calls than the recorded one.`);
      if (latencyMs > 0) await sleep(latencyMs);
      return { ...answered.answer, body: answered.bytes } as unknown as A;
    }
    const answer = next();
    if (!recorded) return answer;
    const answered = answer.then(async (given) => ({ answer: given, bytes: await bytesOf(given.body) }));
    recorded.push({ kind, answered });
    const { answer: given, bytes } = await answered;
    return { ...given, body: bytes } as A;
  }

  /** Keeps the answers to the calls that `play` makes. The result runs it again with those, and no call leaves. */
  async function record(play: () => Promise<unknown>): Promise<() => Promise<void>> {
    const calls: NonNullable<typeof recorded> = [];
    recorded = calls;
    await play().finally(() => {
      recorded = undefined;
    });
    return async () => {
      left = new Map(
        [...Map.groupBy(calls, ({ kind }) => kind)].map(([kind, same]) => [
          kind,
          same.map(({ answered }) => answered),
        ]),
      );
      await play().finally(() => {
        left = undefined;
      });
    };
  }

  return { send, record };
}

async function bytesOf(body: unknown): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
