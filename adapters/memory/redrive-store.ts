import type { RedriveRecord } from '@sluice/contracts';
import type { RedriveStore } from '../../core/ports/redrive-store.ts';

/** Redrives in a map. */
export function createMemoryRedriveStore(): RedriveStore {
  const records = new Map<string, RedriveRecord>();
  const keyOf = (tenant: string, id: string): string => `${tenant}#${id}`;
  const put = (record: RedriveRecord): true => {
    records.set(keyOf(record.tenant, record.id), structuredClone(record));
    return true;
  };
  return {
    get: async (tenant, id) => structuredClone(records.get(keyOf(tenant, id))),
    insert: async (record) => !records.has(keyOf(record.tenant, record.id)) && put(record),
    replace: async (record) => records.get(keyOf(record.tenant, record.id))?.version === record.version - 1 && put(record),
    list: async (tenant, limit, before) => {
      const own = [...records.values()].filter((record) => record.tenant === tenant && (before === undefined || record.id < before));
      return structuredClone(own.sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, limit));
    },
  };
}
