/** Names of the one table that both the construct which makes it and the adapters which use it need. */
export const TABLE = {
  partitionKey: 'p',
  sortKey: 's',
  /** Seconds since the epoch, after which DynamoDB deletes the item. */
  ttl: 'ttl',
  listIndex: { name: 'list', partitionKey: 'lp', sortKey: 'ls' },
  /** Of failed tasks: a tenant's type and day of failure, by time. */
  deadIndex: { name: 'dead', partitionKey: 'dp', sortKey: 'ds' },
} as const;
