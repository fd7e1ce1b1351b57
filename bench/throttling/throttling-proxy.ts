import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** What a partition of an index takes, and what a write costs it: its old place and its new one. */
export type Capacity = {
  readonly unitsPerSecond: number;
  readonly unitsPerWrite: number;
  /** ms from any moment on. */
  readonly now?: () => number;
};

/**
 * A proxy in front of DynamoDB that refuses writes beyond a capacity as DynamoDB does: by a token bucket that
 * holds one second's units; a transaction is canceled for it.
 */
export async function startThrottlingProxy(target: string, capacity: Capacity) {
  const { unitsPerSecond, unitsPerWrite, now = () => performance.now() } = capacity;
  const agent = new Agent({ keepAlive: true });
  const { hostname, port } = new URL(target);
  let units = unitsPerSecond;
  let filledAt = now();
  const counts = { admitted: 0, refused: 0 };

  function admits(): boolean {
    const at = now();
    units = Math.min(unitsPerSecond, units + ((at - filledAt) / 1000) * unitsPerSecond);
    filledAt = at;
    if (units < unitsPerWrite) return false;
    units -= unitsPerWrite;
    return true;
  }

  const server = createServer(async (incoming, response) => {
    const body = await buffer(incoming);
    const refusal = REFUSALS[String(incoming.headers['x-amz-target']).split('.').at(-1) ?? ''];
    if (refusal) {
      if (!admits()) {
        counts.refused++;
        response
          .writeHead(400, { 'content-type': 'application/x-amz-json-1.0' })
          .end(JSON.stringify(refusal));
        return;
      }
      counts.admitted++;
    }
    request(
      { agent, hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    )
      .on('error', () => response.destroy())
      .end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    async stop(): Promise<void> {
      server.closeAllConnections();
      server.close();
      agent.destroy();
      await once(server, 'close');
    },
  };
}

const MESSAGE = 'Throughput exceeds the current throughput limit of your table or index.';
/** The body of a refused write, by its operation. */
const REFUSALS: Readonly<Record<string, object>> = {
  UpdateItem: { __type: 'com.amazonaws.dynamodb.v20120810#ThrottlingException', message: MESSAGE },
  TransactWriteItems: {
    __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
    message:
      'Transaction cancelled, please refer cancellation reasons for specific reasons [ThrottlingError, None]',
    CancellationReasons: [{ Code: 'ThrottlingError', Message: MESSAGE }, { Code: 'None' }],
  },
};
