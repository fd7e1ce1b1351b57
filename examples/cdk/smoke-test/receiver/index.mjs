// Keeps each webhook as it came, so that the smoke test can verify it. Runs with the AWS SDK of Lambda's runtime.
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';

const KEPT_S = 86_400;
const SIGNED_HEADERS = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];

const table = new DynamoDBClient({});

export async function handler({ headers, body = '', isBase64Encoded }) {
  const text = isBase64Encoded ? Buffer.from(body, 'base64').toString('utf8') : body;
  const requestId = requestIdOf(text);
  if (!requestId || SIGNED_HEADERS.some((name) => !headers[name])) return { statusCode: 400 };
  const signed = SIGNED_HEADERS.map((name) => [name, { S: headers[name] }]);
  await table.send(
    new PutItemCommand({
      TableName: process.env.TABLE,
      Item: {
        requestId: { S: requestId },
        // An event that comes twice is two rows: its signature has the time of the attempt.
        receipt: { S: `${headers['webhook-id']}/${headers['webhook-timestamp']}` },
        headers: { M: Object.fromEntries(signed) },
        body: { S: text },
        receivedAt: { N: String(Date.now()) },
        expiresAt: { N: String(Math.floor(Date.now() / 1000) + KEPT_S) },
      },
    }),
  );
  return { statusCode: 204 };
}

function requestIdOf(text) {
  try {
    return JSON.parse(text).data.requestId;
  } catch {
    return undefined;
  }
}
