import type { TaskRow } from '@sluice/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { TaskList, UidRange } from '../../core/ports/task-list.ts';
import { firstUlidAt } from '../../core/tasks/ulid.ts';
import type { TaskStore } from '../../core/ports/task-store.ts';
import { A, B, makeRow, newUid, NOW } from './fixtures.ts';

const DAY_MS = 86_400_000;
const ALL: UidRange = { after: firstUlidAt(0), before: firstUlidAt(NOW + 10 * DAY_MS) };

export function taskListContract(name: string, make: () => Promise<{ readonly list: TaskList; readonly tasks: TaskStore }>): void {
  describe(`task list: ${name}`, () => {
    let list: TaskList;
    let tasks: TaskStore;
    beforeEach(async () => {
      ({ list, tasks } = await make());
    });

    const accept = async (id: string, at = NOW, given: Partial<TaskRow> = {}): Promise<TaskRow> => {
      const row = makeRow({ id, uid: newUid(at), acceptedAt: at, ...given });
      await tasks.insert(row);
      return row;
    };
    const acceptMany = (count: number): Promise<readonly TaskRow[]> =>
      Promise.all(Array.from({ length: count }, (_, n) => accept(`t${n}`, NOW + Math.floor(n / 3))));
    const newestFirst = (rows: readonly TaskRow[]) => rows.map(({ id, uid }) => ({ id, uid })).sort((a, b) => (a.uid < b.uid ? 1 : -1));

    it('has the tasks of one tenant and day, the newest first', async () => {
      const rows = await acceptMany(20);
      await accept('before', NOW - DAY_MS);
      await accept('after', NOW + DAY_MS);
      await accept('t0', NOW, { tenant: B });
      expect(await list.newest(A, NOW, ALL, 100)).toEqual({ tasks: newestFirst(rows), exhausted: true });
      expect(await list.newest(A, NOW + DAY_MS, ALL, 100)).toMatchObject({ tasks: [{ id: 'after' }], exhausted: true });
      expect(await list.newest(B, NOW, ALL, 100)).toMatchObject({ tasks: [{ id: 't0' }], exhausted: true });
      expect(await list.newest(A, NOW - 2 * DAY_MS, ALL, 100)).toEqual({ tasks: [], exhausted: true });
    });

    it('has the first and the last millisecond of a day', async () => {
      const start = NOW - (NOW % DAY_MS);
      await accept('first', start);
      await accept('last', start + DAY_MS - 1);
      expect((await list.newest(A, start, ALL, 9)).tasks.map(({ id }) => id)).toEqual(['last', 'first']);
      expect((await list.newest(A, start + DAY_MS - 1, ALL, 9)).tasks).toHaveLength(2);
    });

    it('takes the lower bound in and the upper one not', async () => {
      const sorted = newestFirst(await acceptMany(12));
      const [upper, lower] = [sorted[2]?.uid ?? '', sorted[9]?.uid ?? ''];
      expect((await list.newest(A, NOW, { after: lower, before: upper }, 100)).tasks).toEqual(sorted.slice(3, 10));
      expect(await list.newest(A, NOW, { after: upper, before: upper }, 100)).toEqual({ tasks: [], exhausted: true });
      expect(await list.newest(A, NOW, { after: upper, before: lower }, 100)).toEqual({ tasks: [], exhausted: true });
    });

    it.each([1, 2, 7, 40, 60, 61])('gives all of them in pages of up to %i, none empty but the last', async (limit) => {
      const sorted = newestFirst(await acceptMany(60));
      const seen: unknown[] = [];
      let before = ALL.before;
      for (;;) {
        const page = await list.newest(A, NOW, { ...ALL, before }, limit);
        expect(page.tasks.length).toBeLessThanOrEqual(limit);
        seen.push(...page.tasks);
        if (page.exhausted) break;
        expect(page.tasks.length).toBeGreaterThan(0);
        before = page.tasks.at(-1)?.uid ?? '';
      }
      expect(seen).toEqual(sorted);
    });

    it('has an id that was taken anew by its new uid alone', async () => {
      const old = await accept('a', NOW - DAY_MS, { state: 'failed' });
      const row = makeRow({ id: 'a', uid: newUid(NOW), acceptedAt: NOW });
      await tasks.replace(row, old);
      expect(await list.newest(A, NOW - DAY_MS, ALL, 9)).toEqual({ tasks: [], exhausted: true });
      expect((await list.newest(A, NOW, ALL, 9)).tasks).toEqual([{ id: 'a', uid: row.uid }]);
    });

    it('reads the rows of many tasks as they are now, each once, without those that are not there', async () => {
      const rows = await acceptMany(230);
      await accept('t0', NOW, { tenant: B });
      const [first] = rows;
      if (!first) throw new Error('no row');
      const changed = await tasks.update(A, first.id, first, { set: { state: 'running' } });
      const read = await list.rows(A, [...rows.map(({ id }) => id), 'nobody', 't1', 't1']);
      const byId = (a: TaskRow, b: TaskRow) => (a.id < b.id ? -1 : 1);
      expect([...read].sort(byId)).toEqual([...rows.slice(1), changed.row as TaskRow].sort(byId));
      expect(await list.rows(A, [])).toEqual([]);
      expect(await list.rows(B, ['t1'])).toEqual([]);
    });
  });
}
