import type { Template } from '../runtime/template.ts';
import type { AwsBehavior } from './behavior.ts';
import type { ExpirySettings } from './expiry.ts';
import type { Layer } from './front-door.ts';
import { indexLag } from './index-lag.ts';
import { queueDelivery } from './queue-delivery.ts';
import type { Random } from './random.ts';
import { RowChanges, type TableKeys } from './row-changes.ts';
import { throttling } from './throttling.ts';
import { tracedMessages } from './traced-messages.ts';
import { transactionConflicts } from './transaction-conflicts.ts';

/** What the calls of functions pass on their way to the emulators, so that these behave as AWS does. */
export function awsLayers(template: Template, behavior: AwsBehavior, random: Random): Layer[] {
  const changes = new RowChanges(tablesOf(template));
  return [
    tracedMessages,
    queueDelivery(
      {
        duplicates: behavior.duplicateMessages,
        overtaken: behavior.overtakenMessages,
        failures: behavior.failedMessages,
        countError: behavior.messageCountError,
      },
      random,
    ),
    throttling(changes, { writeUnits: behavior.partitionWriteUnits, readUnits: behavior.partitionReadUnits }),
    transactionConflicts(changes, behavior.transactionConflicts, random),
    indexLag(
      changes,
      {
        maxMs: behavior.lagMs,
        listMaxMs: behavior.listLagMs,
        staleReads: behavior.staleReads,
        doubles: behavior.doubledRows,
      },
      random,
    ),
  ];
}

/** The tables whose rows expire, and how. */
export function expirySettings(template: Template): ExpirySettings[] {
  const keys = tablesOf(template);
  return template.ofType('AWS::DynamoDB::GlobalTable').flatMap(({ identity, properties }) => {
    const { TimeToLiveSpecification: ttl } = properties as {
      TimeToLiveSpecification?: { AttributeName?: string; Enabled: boolean };
    };
    if (!ttl?.Enabled || !ttl.AttributeName) return [];
    return { table: identity.ref, key: keys.get(identity.ref)!.key, attribute: ttl.AttributeName };
  });
}

type KeySchema = { AttributeName: string; KeyType: 'HASH' | 'RANGE' }[];

function tablesOf(template: Template): Map<string, TableKeys> {
  const names = (schema: unknown) =>
    (schema as KeySchema)
      .toSorted((a) => (a.KeyType === 'HASH' ? -1 : 1))
      .map(({ AttributeName }) => AttributeName);
  return new Map(
    template.ofType('AWS::DynamoDB::GlobalTable').map(({ identity, properties }) => {
      const { KeySchema, GlobalSecondaryIndexes = [] } = properties as {
        KeySchema: unknown;
        GlobalSecondaryIndexes?: { IndexName: string; KeySchema: unknown }[];
      };
      const indexes = GlobalSecondaryIndexes.map((index) => [index.IndexName, names(index.KeySchema)]);
      return [identity.ref, { key: names(KeySchema), indexes: Object.fromEntries(indexes) }];
    }),
  );
}
