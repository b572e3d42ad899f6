import type { TaskList } from '../core/ports/task-list.ts';

/** An index that is late: a task shows in it some time after its row was written. The rows themselves are read consistently. */
export function createLateList(list: TaskList, shows: (uid: string) => boolean): TaskList {
  return {
    ...list,
    newest: async (tenant, day, range, limit) => {
      const page = await list.newest(tenant, day, range, limit);
      return { ...page, tasks: page.tasks.filter(({ uid }) => shows(uid)) };
    },
  };
}
