// Runs with the AWS SDK of Lambda's runtime, and verifies signatures by the rules of https://www.standardwebhooks.com/.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';

const TOLERANCE_S = 300;
const SECRETS_KEPT_MS = 60_000;

const table = DynamoDBDocumentClient.from(new DynamoDBClient({}));
let secrets = { at: 0, values: [] };

export async function handler({ headers, body = '', isBase64Encoded }) {
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  if (!verify(headers, bytes, await readSecrets())) return { statusCode: 401 };

  const event = JSON.parse(bytes.toString('utf8'));
  // Store the event by `event.id`, which is the same at every attempt, and do the work elsewhere.
  console.log(JSON.stringify({ id: event.id, type: event.type, requestId: event.data.requestId }));
  return { statusCode: 204 };
}

/** The current secret and, after a rotation, the one before it. */
async function readSecrets() {
  if (Date.now() - secrets.at > SECRETS_KEPT_MS) {
    const { Item } = await table.send(new GetCommand(JSON.parse(process.env.CALLBACK_SECRET)));
    secrets = { at: Date.now(), values: (Item?.secrets ?? []).map(({ secret }) => secret) };
  }
  return secrets.values;
}

export function verify(headers, bytes, values, now = Date.now()) {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures = '' } = headers;
  if (!(Math.abs(now / 1000 - Number(timestamp)) <= TOLERANCE_S)) return false;
  const given = signatures.split(' ').map((signature) => Buffer.from(signature));
  return values.some((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    const digest = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(bytes).digest('base64');
    const expected = Buffer.from(`v1,${digest}`);
    return given.some((each) => each.length === expected.length && timingSafeEqual(each, expected));
  });
}
