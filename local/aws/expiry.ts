import {
  type AttributeValue,
  DeleteItemCommand,
  type DynamoDBClient,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { type Random, shuffled } from './random.ts';

export type ExpirySettings = {
  table: string;
  /** Names of partition key and sort key. */
  key: string[];
  /** The attribute that holds the time after which a row may be deleted, seconds since epoch. */
  attribute: string;
};

/** Share of the expired rows found that one pass deletes. */
const SHARE = 0.5;

/**
 * Deletes expired rows as DynamoDB does: some time after they expired and in no order, so that rows of one thing
 * outlive each other. Each pass reads one page of the table, then deletes a random half of the expired rows in it.
 */
export class Expiry {
  private readonly client: DynamoDBClient;
  private readonly settings: ExpirySettings;
  private readonly random: Random;
  private from: Record<string, AttributeValue> | undefined;

  constructor(client: DynamoDBClient, settings: ExpirySettings, random: Random) {
    this.client = client;
    this.settings = settings;
    this.random = random;
  }

  /** One pass at `now` (ms since epoch). Returns how many rows it deleted. */
  async pass(now: number): Promise<number> {
    const { table, key, attribute } = this.settings;
    const expired = {
      ExpressionAttributeNames: { '#expiry': attribute },
      ExpressionAttributeValues: { ':now': { N: String(Math.floor(now / 1000)) } },
    };
    const { Items = [], LastEvaluatedKey } = await this.client.send(
      new ScanCommand({
        TableName: table,
        FilterExpression: '#expiry < :now',
        ...expired,
        ...(this.from && { ExclusiveStartKey: this.from }),
      }),
    );
    this.from = LastEvaluatedKey;
    const chosen = shuffled(Items, this.random).filter(() => this.random() < SHARE);
    for (const item of chosen) {
      const Key = Object.fromEntries(key.map((name) => [name, item[name]!]));
      // A row that got a later expiry since stays.
      const still = { ConditionExpression: '#expiry < :now', ...expired };
      await this.client
        .send(new DeleteItemCommand({ TableName: table, Key, ...still }))
        .catch((error: Error) => {
          if (error.name !== 'ConditionalCheckFailedException') throw error;
        });
    }
    return chosen.length;
  }
}
