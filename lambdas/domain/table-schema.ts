/**
 * Keys, indexes and key types of the one table. The construct, the queries and the tests take them from here.
 * The indexes are sparse: a row is in an index only while it carries both of that index's keys.
 */
export const TABLE_SCHEMA = {
  key: { partition: 'pk', sort: 'sk' },
  indexes: {
    /** What waits for work, by lane and time. */
    due: { partition: 'lane', sort: 'dueAt' },
    /** What the lists show, by list, time and id. */
    list: { partition: 'listKey', sort: 'listAt' },
  },
  /** DynamoDB's types of the key attributes: string or number. */
  types: { pk: 'S', sk: 'S', lane: 'S', dueAt: 'N', listKey: 'S', listAt: 'S' },
  /** Holds when a row may be deleted, in seconds since epoch. */
  expiry: 'expiresAt',
} as const;

export type TableIndex = keyof typeof TABLE_SCHEMA.indexes;
