import type { TaskRow } from '@sluice/contracts';
import type { DeadDay, DeadEntry, DeadList } from '../../core/ports/dead-list.ts';
import { failureKey } from '../../core/tasks/failure-key.ts';

const DAY_MS = 86_400_000;

/** The failed tasks of a memory store, never late. */
export function createMemoryDeadList(store: { readonly rows: () => readonly TaskRow[] }): DeadList {
  const entriesOf = (tenant: string): readonly (DeadEntry & { readonly day: number })[] =>
    store.rows().flatMap((row) => {
      if (row.tenant !== tenant || row.state !== 'failed' || row.redrivenAs) return [];
      const at = row.endedAt ?? row.acceptedAt;
      return [{ id: row.id, uid: row.uid, type: row.type, key: failureKey(at, row.uid), day: at - (at % DAY_MS) }];
    });
  return {
    days: async (tenant, from, to) => {
      const days = new Map<number, Set<string>>();
      for (const { day, type } of entriesOf(tenant)) {
        if (day + DAY_MS > from && day <= to) days.set(day, (days.get(day) ?? new Set()).add(type));
      }
      return [...days].map(([day, types]): DeadDay => ({ day, types: [...types].sort() })).sort((a, b) => b.day - a.day);
    },
    newest: async (tenant, { day, types }, { after, before }, limit) => {
      const tasks = entriesOf(tenant)
        .filter((entry) => entry.day === day && types.includes(entry.type) && entry.key >= after && entry.key < before)
        .sort((a, b) => (a.key < b.key ? 1 : -1))
        .map(({ id, uid, type, key }) => ({ id, uid, type, key }));
      return { tasks: tasks.slice(0, limit), exhausted: tasks.length <= limit };
    },
    rows: async (tenant, ids) => store.rows().filter((row) => row.tenant === tenant && ids.includes(row.id)),
  };
}
