import type { QuotaRecord } from '@sluice/contracts';
import type { QuotaStore } from '../../core/ports/quota-store.ts';

/** Quotas in a map. */
export function createMemoryQuotaStore(): QuotaStore {
  const records = new Map<string, QuotaRecord>();
  return {
    get: async (tenant) => structuredClone(records.get(tenant)),
    put: async (tenant, record) => void records.set(tenant, structuredClone(record)),
    remove: async (tenant) => void records.delete(tenant),
    list: async (limit, after = '') => {
      const tenants = [...records.keys()].filter((tenant) => tenant > after).sort();
      return structuredClone(tenants.slice(0, limit).flatMap((tenant) => records.get(tenant) ?? []));
    },
  };
}
