import type { ScheduleRecord } from '@sluice/contracts';
import type { NotedSchedule, ScheduleStore } from '../../core/ports/schedule-store.ts';

export interface MemoryScheduleStore extends ScheduleStore {
  /** Every schedule that there is, for checks of a whole run. */
  readonly all: () => readonly ScheduleRecord[];
}

/** Schedules in a map. What goes in and out is copied. */
export function createMemoryScheduleStore(config: { readonly shards?: number } = {}): MemoryScheduleStore {
  const shards = config.shards ?? 10;
  const records = new Map<string, ScheduleRecord>();
  const directory = new Map<string, NotedSchedule>();
  const of = (tenant: string): ScheduleRecord[] =>
    [...records.values()].filter((record) => record.tenant === tenant).sort((a, b) => (a.name < b.name ? -1 : 1));

  return {
    get: async (tenant, name) => structuredClone(records.get(keyOf(tenant, name))),
    put: async (tenant, record, seq) => {
      const key = keyOf(tenant, record.name);
      const found = records.get(key);
      const applied = found?.seq === seq;
      if (applied) records.set(key, structuredClone({ ...record, tenant }));
      return { applied, found: structuredClone(records.get(key)) };
    },
    remove: async (tenant, name, seq) => {
      const key = keyOf(tenant, name);
      return records.get(key)?.seq === seq && records.delete(key);
    },
    list: async (tenant, after, limit) =>
      structuredClone(
        of(tenant)
          .filter(({ name }) => after === undefined || name > after)
          .slice(0, limit),
      ),
    count: async (tenant, atMost) => Math.min(atMost, of(tenant).length),
    shards,
    note: async (tenant, name, at) => void directory.set(keyOf(tenant, name), { tenant, name, at }),
    forget: async ({ tenant, name, at }) => {
      if (directory.get(keyOf(tenant, name))?.at === at) directory.delete(keyOf(tenant, name));
    },
    noted: async (shard) => structuredClone([...directory].filter(([key]) => key.length % shards === shard).map(([, noted]) => noted)),
    all: () => structuredClone([...records.values()]),
  };
}

/** No tenant's name holds a `#`, so no two tenants share a key. */
function keyOf(tenant: string, name: string): string {
  return `${tenant}#${name}`;
}
