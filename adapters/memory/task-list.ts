import type { TaskRow } from '@sluice/contracts';
import type { TaskList } from '../../core/ports/task-list.ts';

const DAY_MS = 86_400_000;

/** The list of the tasks in a memory store, never late. */
export function createMemoryTaskList(store: { readonly rows: () => readonly TaskRow[] }): TaskList {
  const rowsOf = (tenant: string): readonly TaskRow[] => store.rows().filter((row) => row.tenant === tenant);
  return {
    newest: async (tenant, day, { after, before }, limit) => {
      const tasks = rowsOf(tenant)
        .filter(({ acceptedAt, uid }) => dayOf(acceptedAt) === dayOf(day) && uid >= after && uid < before)
        .map(({ id, uid }) => ({ id, uid }))
        .sort((a, b) => (a.uid < b.uid ? 1 : -1));
      return { tasks: tasks.slice(0, limit), exhausted: tasks.length <= limit };
    },
    rows: async (tenant, ids) => rowsOf(tenant).filter(({ id }) => ids.includes(id)),
  };
}

function dayOf(at: number): number {
  return Math.floor(at / DAY_MS);
}
