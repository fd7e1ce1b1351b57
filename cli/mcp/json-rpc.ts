/** What the protocol calls its errors. */
export const RPC = {
  parse: -32700,
  request: -32600,
  method: -32601,
  params: -32602,
  internal: -32603,
} as const;

/** A call is answered by an error of the protocol. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

type Id = string | number;
type Answer = { jsonrpc: '2.0'; id: Id | null } & (
  | { result: object }
  | { error: { code: number; message: string } }
);

/** Answers a call. `signal`: aborted when the caller cancels it, whom no answer reaches then. */
export type Method = (params: Params, signal: AbortSignal) => Promise<object> | object;
type Params = Readonly<Record<string, unknown>>;

type Served = {
  /** A message, or several in an array, each. */
  readonly lines: AsyncIterable<string>;
  readonly write: (line: string) => void;
  readonly methods: Readonly<Record<string, Method>>;
};

/**
 * Answers the calls of JSON-RPC 2.0 that come as lines, several at a time, until the lines end and all that came is
 * answered. Notifications change nothing, but `notifications/cancelled` of the Model Context Protocol ends a call.
 */
export async function answerCalls({ lines, write, methods }: Served): Promise<void> {
  const running = new Map<Id, AbortController>();
  const open = new Set<Promise<void>>();
  for await (const line of lines) {
    if (line.trim() === '') continue;
    const task = answerLine(line).then((answer) => {
      if (answer) write(JSON.stringify(answer));
    });
    open.add(task);
    void task.finally(() => open.delete(task));
  }
  await Promise.all(open);

  async function answerLine(line: string): Promise<Answer | Answer[] | undefined> {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      return failed(null, RPC.parse, 'This is not JSON: write each message as one line of JSON.');
    }
    // Clients of the protocol's version 2025-03-26 may send several at once.
    if (!Array.isArray(message) || message.length === 0) return answerOne(message);
    const answers = (await Promise.all(message.map(answerOne))).filter((each) => each !== undefined);
    return answers.length > 0 ? answers : undefined;
  }

  async function answerOne(message: unknown): Promise<Answer | undefined> {
    const { jsonrpc, id, method, params = {} } = (isObject(message) ? message : {}) as Params;
    const known = isId(id) ? id : null;
    if (jsonrpc === '2.0' && typeof method !== 'string' && isAnswer(message)) return undefined;
    if (jsonrpc !== '2.0' || typeof method !== 'string' || !isObject(params))
      return failed(known, RPC.request, 'This is not a JSON-RPC 2.0 message.');
    if (id === undefined) return notified(method, params);
    if (known === null) return failed(null, RPC.request, 'The id of a call is a string or a number.');
    return call(known, method, params);
  }

  async function call(id: Id, method: string, params: Params): Promise<Answer | undefined> {
    const controller = new AbortController();
    const { signal } = controller;
    running.set(id, controller);
    try {
      const answer = Object.hasOwn(methods, method) ? methods[method] : undefined;
      if (!answer) throw new RpcError(RPC.method, `There is no method ${method} here.`);
      const result = await answer(params, signal);
      return signal.aborted ? undefined : { jsonrpc: '2.0', id, result };
    } catch (error) {
      if (signal.aborted) return undefined;
      const { message } = error as Error;
      return failed(id, error instanceof RpcError ? error.code : RPC.internal, message);
    } finally {
      running.delete(id);
    }
  }

  function notified(method: string, { requestId }: Params): undefined {
    if (method === 'notifications/cancelled' && isId(requestId)) running.get(requestId)?.abort();
  }
}

const failed = (id: Id | null, code: number, message: string): Answer => ({
  jsonrpc: '2.0',
  id,
  error: { code, message },
});

const isId = (id: unknown): id is Id => typeof id === 'string' || typeof id === 'number';
const isObject = (value: unknown): value is Params =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isAnswer = (message: unknown): boolean =>
  isObject(message) && ('result' in message || 'error' in message);
