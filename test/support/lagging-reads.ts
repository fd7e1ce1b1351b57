import { text } from 'node:stream/consumers';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { AwsCall, Next } from '../../local/aws/front-door.ts';
import { indexLag } from '../../local/aws/index-lag.ts';
import { seededRandom } from '../../local/aws/random.ts';
import { RowChanges, type TableKeys } from '../../local/aws/row-changes.ts';

/** A write stays unseen for a random time of up to so many ms, as on AWS. */
const LONGEST_LAG_MS = 2_000;
/** Tests have no time to wait, so for the lag each call lasts so long. */
const CALL_MS = 100;
const SHARES = { staleReads: 0.3, doubles: 0.5 };
/** Share of the writes that lag, since each of these costs a read of the rows as they were. */
const LATE_WRITES = 0.3;

/** Of all choices, from vitest.config.ts. */
export const LAG_SEED = Number(process.env.BRIDGE_LAG_SEED);

let time = 0;
let random = seededRandom(LAG_SEED);

/**
 * Time that a test's clock is turned on by, ms: it ends the lag as waiting would. A clock that is turned back, or by
 * ages, changes nothing about how long writes lag.
 */
export function passLagTime(ms: number): void {
  time += Math.min(Math.max(ms, 0), LONGEST_LAG_MS);
}

/** Ends the lag: every read sees what has been written until now. For tests that look into an index themselves. */
export function settle(): void {
  passLagTime(LONGEST_LAG_MS);
}

/** Begins with the seed anew, so that a test meets the same alone and among others. */
export function restartLag(): void {
  random = seededRandom(LAG_SEED);
}

/** What the SDK hands to its transport, and gets back. */
type Exchange = {
  readonly request: { readonly body?: string | Uint8Array; readonly headers: Record<string, string> };
};
type Outcome = { response: { statusCode: number; body: unknown } };

/**
 * Lets the reads of a client lag behind writes, as the local runtime does for the functions: reads of an index always
 * may, reads of the table unless they ask for consistency. Tables that the client creates are known by their keys.
 */
export function addLaggingReads(client: DynamoDBClient): void {
  const tables = new Map<string, TableKeys>();
  const lag = indexLag(
    new RowChanges(tables),
    { maxMs: LONGEST_LAG_MS, listMaxMs: LONGEST_LAG_MS, ...SHARES },
    () => random(),
    () => time,
  );

  client.middlewareStack.add(
    (next) => async (args) => {
      const { request } = args as unknown as Exchange;
      const target = request.headers['x-amz-target'] ?? '';
      passLagTime(CALL_MS);
      const isPrompt = WRITES.test(operationOf(target)) && random() >= LATE_WRITES;
      if (isPrompt) return next(args);
      const body = JSON.parse(textOf(request.body)) as Record<string, unknown>;
      const call: AwsCall = { caller: 'test', service: 'dynamodb', operation: operationOf(target), body };
      if (call.operation === 'CreateTable') tables.set(String(body.TableName), keysOf(body));

      let outcome: Outcome & { output: never } = undefined as never;
      const send: Next = async (each) => {
        const content = JSON.stringify(each.body);
        outcome = (await next({
          ...args,
          request: {
            ...request,
            body: content,
            headers: {
              ...request.headers,
              'x-amz-target': target.replace(/[^.]*$/, each.operation),
              'content-length': String(Buffer.byteLength(content)),
            },
          },
        })) as never;
        const { statusCode, body: stream } = outcome.response;
        return { status: statusCode, body: JSON.parse((await text(stream as never)) || '{}') };
      };
      const answer = await lag(call, send);
      Object.assign(outcome.response, {
        statusCode: answer.status,
        body: Buffer.from(JSON.stringify(answer.body)),
      });
      return outcome;
    },
    { step: 'deserialize', priority: 'low', name: 'laggingReads' },
  );
}

function textOf(body: string | Uint8Array = '{}'): string {
  return typeof body === 'string' ? body : new TextDecoder().decode(body);
}

const WRITES = /^(Put|Update|Delete|TransactWrite|BatchWrite)/;

const operationOf = (target: string): string => target.replace(/^.*\./, '');

type KeySchema = { AttributeName: string; KeyType: 'HASH' | 'RANGE' }[];

function keysOf({ KeySchema, GlobalSecondaryIndexes = [] }: Record<string, unknown>): TableKeys {
  const names = (schema: KeySchema) => schema.map(({ AttributeName }) => AttributeName);
  const indexes = GlobalSecondaryIndexes as { IndexName: string; KeySchema: KeySchema }[];
  return {
    key: names(KeySchema as KeySchema),
    indexes: Object.fromEntries(indexes.map((index) => [index.IndexName, names(index.KeySchema)])),
  };
}
