import type { QuotaRecord } from '@sluice/contracts';

/** What tenants may have. All calls are repeatable; each throws when its answer is unknown. */
export interface QuotaStore {
  /** Reads consistently. */
  readonly get: (tenant: string) => Promise<QuotaRecord | undefined>;
  readonly put: (tenant: string, record: QuotaRecord) => Promise<void>;
  readonly remove: (tenant: string) => Promise<void>;
  /** Those of all tenants in the order of their names, behind `after`. */
  readonly list: (limit: number, after?: string) => Promise<readonly QuotaRecord[]>;
}
