import { type DynamoDBClient, paginateQuery } from '@aws-sdk/client-dynamodb';
import type { Received } from './try-bridge.ts';

/** Reads what the receiver of this folder keeps of a request. */
export async function readReceived(
  client: DynamoDBClient,
  table: string,
  requestId: string,
): Promise<Received[]> {
  const received: Received[] = [];
  const pages = paginateQuery(
    { client },
    {
      TableName: table,
      KeyConditionExpression: 'requestId = :id',
      ExpressionAttributeValues: { ':id': { S: requestId } },
      ConsistentRead: true,
    },
  );
  for await (const { Items = [] } of pages)
    for (const { headers, body, receivedAt } of Items)
      received.push({
        headers: Object.fromEntries(
          Object.entries(headers?.M ?? {}).map(([name, value]) => [name, value.S ?? '']),
        ),
        body: body?.S ?? '',
        receivedAt: Number(receivedAt?.N),
      });
  return received;
}
