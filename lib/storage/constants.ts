/** Partition keys that a function may be confined to. `*` stands for any characters. */
export const LEADING_KEYS = {
  /** Task types, as the registrar writes them. */
  taskTypes: 'Y',
  /** How its requests have ended. */
  endedRequests: 'YE#*',
  /** API tokens by hash. */
  tokens: 'K#*',
  /** IAM principals that are mapped to a tenant. */
  principals: 'I#*',
} as const;
