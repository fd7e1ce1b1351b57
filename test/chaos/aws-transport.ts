import http from 'node:http';
import { TABLE_SCHEMA } from '../../lambdas/domain/table-schema.ts';
import { jsonCallPermissions, type Permission, s3Call } from '../../local/aws/aws-calls.ts';
import { indexLag } from '../../local/aws/index-lag.ts';
import { RowChanges } from '../../local/aws/row-changes.ts';
import type { AwsFaults, Faults } from './faults.ts';
import type { PermissionLog } from './permission-log.ts';
import type { Simulation } from './simulation.ts';

/** A request as the AWS SDK hands it to its transport. */
type SdkRequest = {
  readonly method: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Record<string, string | string[] | null>;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
};
type SdkResponse = { statusCode: number; reason?: string; headers: Record<string, string>; body: Buffer };

const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
/** DynamoDB keeps the token of a transaction for ten minutes. */
const TOKEN_MS = 600_000;
/** How long reads may lag, ms, and the shares of those that do. */
const LAG = { maxMs: 8_000, listMaxMs: 8_000, staleReads: 0.3, doubles: 0.3 };
const TABLE_KEYS = {
  key: Object.values(TABLE_SCHEMA.key),
  indexes: Object.fromEntries(
    Object.entries(TABLE_SCHEMA.indexes).map(([name, keys]) => [name, Object.values(keys)]),
  ),
};
const JSON_ANSWER = { headers: { 'content-type': 'application/x-amz-json-1.0' } };

/**
 * The transport of an AWS client whose calls go through the simulation to a real emulator: they arrive late,
 * get lost, are throttled, fail, or take effect and are not answered. The SDK's own retries do the rest.
 */
export function faultyTransport(
  service: 'dynamodb' | 's3',
  simulation: Simulation,
  faults: Faults,
  world: AwsWorld,
) {
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    handle: async (request: SdkRequest): Promise<{ response: SdkResponse }> => {
      const name = service === 'dynamodb' ? operationOf(request) : `${request.method} s3`;
      world.permissions.note(...permissionsOf(service, request));
      const fate = faults.awsCall(service, service === 'dynamodb' ? dynamoFaults(name, request) : S3_FAULTS);
      const response = await simulation.call(name, fate, () =>
        service === 'dynamodb' ? world.dynamodb(name, request) : send(request),
      );
      return { response };
    },
    destroy: () => {},
    updateHttpClientConfig: () => {},
    httpHandlerConfigs: () => ({}),
  };
}

export type AwsWorld = ReturnType<typeof createAwsWorld>;

/** What all clients of the simulated AWS share. */
export function createAwsWorld(
  simulation: Simulation,
  faults: Faults,
  permissions: PermissionLog,
  tableName: string,
) {
  const tokens = new Map<string, { at: number; response: SdkResponse }>();
  const rows = new RowChanges(new Map([[tableName, TABLE_KEYS]]));
  const lag = indexLag(rows, LAG, simulation.random.next, () => simulation.now);

  /** A call takes effect; what it reads may be what was before the last writes. */
  function dynamodb(name: string, request: SdkRequest): Promise<SdkResponse> {
    const toTable = faults.has('lagging reads')
      ? (sent: SdkRequest) => lagging(name, sent)
      : (sent: SdkRequest) => send(sent);
    if (name === 'BatchGetItem' && faults.strikes('throttled calls', 0.1)) return inPart(request, toTable);
    return transact(name, request, () => toTable(request));
  }

  /** A read of many rows that is throttled answers some of them, and names the others. */
  async function inPart(request: SdkRequest, toTable: (sent: SdkRequest) => Promise<SdkResponse>) {
    const call = JSON.parse(textOf(request.body)) as { RequestItems: Record<string, { Keys: unknown[] }> };
    const { Keys = [], ...settings } = call.RequestItems[tableName] ?? { Keys: [] };
    if (Keys.length < 2) return toTable(request);
    const half = simulation.random.integer(1, Keys.length - 1);
    const asked = (keys: unknown[]) => ({ [tableName]: { ...settings, Keys: keys } });
    const RequestItems = asked(Keys.slice(0, half));
    const answer = await toTable(withCall(request, 'BatchGetItem', { ...call, RequestItems }));
    if (answer.statusCode !== 200) return answer;
    const UnprocessedKeys = asked(Keys.slice(half));
    const body = Buffer.from(JSON.stringify({ ...JSON.parse(answer.body.toString()), UnprocessedKeys }));
    return { ...JSON_ANSWER, statusCode: 200, body };
  }

  async function lagging(operation: string, request: SdkRequest): Promise<SdkResponse> {
    const body = JSON.parse(textOf(request.body)) as Record<string, unknown>;
    const answer = await lag({ caller: '', service: 'dynamodb', operation, body }, async (call) => {
      const { statusCode, body: said } = await send(withCall(request, call.operation, call.body));
      return { status: statusCode, body: JSON.parse(said.toString() || '{}') };
    });
    return { ...JSON_ANSWER, statusCode: answer.status, body: Buffer.from(JSON.stringify(answer.body)) };
  }

  /** A transaction that comes again with its token has no second effect, and gets the first answer. */
  async function transact(
    name: string,
    request: SdkRequest,
    send: () => Promise<SdkResponse>,
  ): Promise<SdkResponse> {
    if (name !== 'TransactWriteItems') return send();
    const { ClientRequestToken: token } = JSON.parse(textOf(request.body)) as { ClientRequestToken?: string };
    const known = token === undefined ? undefined : tokens.get(token);
    if (known && simulation.now - known.at < TOKEN_MS) return known.response;
    const response = await send();
    if (token !== undefined && response.statusCode === 200)
      tokens.set(token, { at: simulation.now, response });
    return response;
  }

  return { dynamodb, permissions };
}

function permissionsOf(service: 'dynamodb' | 's3', request: SdkRequest): Permission[] {
  if (service === 'dynamodb') {
    return jsonCallPermissions(service, operationOf(request), JSON.parse(textOf(request.body)));
  }
  return s3Call(request.method, new URL(urlOf(request)), request.headers).permissions;
}

/** The same request for another operation. */
function withCall(request: SdkRequest, operation: string, content: unknown): SdkRequest {
  const body = JSON.stringify(content);
  const headers = Object.entries(request.headers).map(([name, value]) => {
    if (/^x-amz-target$/i.test(name)) return [name, value.replace(/[^.]*$/, operation)];
    return [name, /^content-length$/i.test(name) ? String(Buffer.byteLength(body)) : value];
  });
  return { ...request, headers: Object.fromEntries(headers), body };
}

const operationOf = ({ headers }: SdkRequest): string =>
  (headers['x-amz-target'] ?? headers['X-Amz-Target'] ?? '').replace(/^.*\./, '');

function textOf(body: unknown): string {
  if (!(body instanceof Uint8Array)) return String(body ?? '');
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
}

function urlOf({ hostname, port, path, query = {} }: SdkRequest): string {
  const search = Object.entries(query)
    .flatMap(([name, value]) => [value].flat().map((each) => [name, each] as const))
    .map(([name, value]) =>
      value === null ? name : `${encodeURIComponent(name)}=${encodeURIComponent(value ?? '')}`,
    )
    .join('&');
  return `http://${hostname}:${port}${path}${search ? `?${search}` : ''}`;
}

/** Sends a request over a real connection and reads its answer to the end. */
function send(sent: SdkRequest): Promise<SdkResponse> {
  const { method, headers, body } = sent;
  const { promise, resolve, reject } = Promise.withResolvers<SdkResponse>();
  const request = http.request(urlOf(sent), { agent, method, headers }, (answer) => {
    const chunks: Buffer[] = [];
    answer.on('data', (chunk: Buffer) => chunks.push(chunk));
    answer.on('error', reject);
    answer.on('end', () =>
      resolve({
        statusCode: answer.statusCode ?? 0,
        headers: Object.fromEntries(
          Object.entries(answer.headers).map(([name, value]) => [name, String(value)]),
        ),
        body: Buffer.concat(chunks),
      }),
    );
  });
  request.on('error', reject);
  request.end(body as string | Uint8Array | undefined);
  return promise;
}

const dynamoAnswer = (statusCode: number, type: string, more: Record<string, unknown> = {}): SdkResponse => ({
  statusCode,
  ...JSON_ANSWER,
  body: Buffer.from(
    JSON.stringify({
      __type: `com.amazonaws.dynamodb.v20120810#${type}`,
      message: type,
      Message: type,
      ...more,
    }),
  ),
});

function dynamoFaults(name: string, request: SdkRequest): AwsFaults {
  return {
    throttled: () => dynamoAnswer(400, 'ThrottlingException'),
    failed: () => dynamoAnswer(500, 'InternalServerError'),
    ...conflictOf(name, request),
  };
}

function conflictOf(name: string, request: SdkRequest): Pick<AwsFaults, 'conflict'> {
  if (['PutItem', 'UpdateItem', 'DeleteItem'].includes(name)) {
    return { conflict: () => dynamoAnswer(400, 'TransactionConflictException') };
  }
  if (name !== 'TransactWriteItems') return {};
  const { TransactItems } = JSON.parse(textOf(request.body)) as { TransactItems: unknown[] };
  const CancellationReasons = TransactItems.map((_, i) => ({
    Code: i === 0 ? 'TransactionConflict' : 'None',
  }));
  return { conflict: () => dynamoAnswer(400, 'TransactionCanceledException', { CancellationReasons }) };
}

const s3Answer = (statusCode: number, code: string): SdkResponse => ({
  statusCode,
  headers: { 'content-type': 'application/xml' },
  body: Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`,
  ),
});
const S3_FAULTS: AwsFaults = {
  throttled: () => s3Answer(503, 'SlowDown'),
  failed: () => s3Answer(500, 'InternalError'),
};
