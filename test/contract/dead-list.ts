import type { TaskRow } from '@sluice/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { DeadDay, DeadList, DeadRange } from '../../core/ports/dead-list.ts';
import type { TaskStore } from '../../core/ports/task-store.ts';
import { failureKey, firstFailureKeyAt } from '../../core/tasks/failure-key.ts';
import { A, B, makeRow, newUid, NOW } from './fixtures.ts';

const DAY_MS = 86_400_000;
const TODAY = NOW - (NOW % DAY_MS);
const ALL: DeadRange = { after: firstFailureKeyAt(0), before: firstFailureKeyAt(NOW + 10 * DAY_MS) };
const dayOf = (day: number, ...types: string[]): DeadDay => ({ day, types });

export function deadListContract(name: string, make: () => Promise<{ readonly list: DeadList; readonly tasks: TaskStore }>): void {
  describe(`dead list: ${name}`, () => {
    let list: DeadList;
    let tasks: TaskStore;
    beforeEach(async () => {
      ({ list, tasks } = await make());
    });

    /** A task that was accepted long ago, in no order, and fails now: as settling writes it. */
    const fail = async (id: string, endedAt = NOW, given: Partial<TaskRow> = {}): Promise<TaskRow> => {
      const row = makeRow({ id, uid: newUid(NOW - 5 * DAY_MS), ...given });
      await tasks.insert(row);
      const type = row.type;
      const written = await tasks.update(row.tenant, id, row, { set: { state: 'failed', reason: 'fatal', endedAt, type } });
      return written.row as TaskRow;
    };
    const failMany = (count: number, given: (n: number) => Partial<TaskRow> = () => ({})): Promise<readonly TaskRow[]> =>
      Promise.all(Array.from({ length: count }, (_, n) => fail(`t${n}`, NOW + Math.floor(n / 3), given(n))));
    const latestFirst = (rows: readonly TaskRow[]) =>
      rows
        .map(({ id, uid, type, endedAt = 0 }) => ({ id, uid, type, key: failureKey(endedAt, uid) }))
        .sort((a, b) => (a.key < b.key ? 1 : -1));

    it('has the failures of one tenant by type and day, the latest first', async () => {
      const rows = await failMany(20, (n) => ({ type: n % 2 ? 'mail' : 'thumbnail' }));
      await fail('before', NOW - DAY_MS);
      await fail('t0', NOW, { tenant: B });
      await tasks.insert(makeRow({ id: 'waiting' }));
      const sorted = latestFirst(rows);
      expect(await list.newest(A, dayOf(TODAY, 'mail', 'thumbnail'), ALL, 100)).toEqual({ tasks: sorted, exhausted: true });
      expect((await list.newest(A, dayOf(TODAY, 'mail'), ALL, 100)).tasks).toEqual(sorted.filter(({ type }) => type === 'mail'));
      expect((await list.newest(A, dayOf(TODAY - DAY_MS, 'thumbnail'), ALL, 9)).tasks.map(({ id }) => id)).toEqual(['before']);
      expect((await list.newest(B, dayOf(TODAY, 'mail', 'thumbnail'), ALL, 9)).tasks.map(({ id }) => id)).toEqual(['t0']);
      expect(await list.newest(B, dayOf(TODAY, 'mail'), ALL, 9)).toEqual({ tasks: [], exhausted: true });
    });

    it('has the days of failures with their types, of one tenant', async () => {
      await failMany(4, (n) => ({ type: n % 2 ? 'mail' : 'thumbnail' }));
      await fail('old', NOW - 3 * DAY_MS);
      await fail('b', NOW - DAY_MS, { tenant: B });
      await fail('system', TODAY, { type: 'sluice.notify' });
      const today = dayOf(TODAY, 'mail', 'sluice.notify', 'thumbnail');
      const old = dayOf(TODAY - 3 * DAY_MS, 'thumbnail');
      expect(await list.days(A, 0, NOW)).toEqual([today, old]);
      expect(await list.days(A, TODAY, NOW)).toEqual([today]);
      expect(await list.days(A, NOW, NOW)).toEqual([today]);
      expect(await list.days(A, 0, TODAY - 1)).toEqual([old]);
      expect(await list.days(B, 0, NOW)).toEqual([dayOf(TODAY - DAY_MS, 'thumbnail')]);
      expect(await list.days('nobody', 0, NOW)).toEqual([]);
    });

    it('takes the lower bound in and the upper one not', async () => {
      const sorted = latestFirst(await failMany(12));
      const [upper, lower] = [sorted[2]?.key ?? '', sorted[9]?.key ?? ''];
      const day = dayOf(TODAY, 'thumbnail');
      expect((await list.newest(A, day, { after: lower, before: upper }, 100)).tasks).toEqual(sorted.slice(3, 10));
      expect(await list.newest(A, day, { after: upper, before: upper }, 100)).toEqual({ tasks: [], exhausted: true });
      const since = await list.newest(A, day, { ...ALL, after: firstFailureKeyAt(NOW + 2) }, 100);
      expect(since.tasks.map(({ id }) => id).toSorted()).toEqual(['t10', 't11', 't6', 't7', 't8', 't9']);
    });

    it.each([1, 7, 60, 61])('gives all of them in pages of up to %i, none empty but the last', async (limit) => {
      const sorted = latestFirst(await failMany(60, (n) => ({ type: n % 5 ? 'mail' : 'thumbnail' })));
      const seen: unknown[] = [];
      for (let { before } = ALL; ;) {
        const page = await list.newest(A, dayOf(TODAY, 'mail', 'thumbnail'), { ...ALL, before }, limit);
        expect(page.tasks.length).toBeLessThanOrEqual(limit);
        seen.push(...page.tasks);
        if (page.exhausted) break;
        expect(page.tasks.length).toBeGreaterThan(0);
        before = page.tasks.at(-1)?.key ?? '';
      }
      expect(seen).toEqual(sorted);
    });

    it('has no task any more that was redriven, as itself or as another', async () => {
      const [one, two] = [await fail('one'), await fail('two')];
      await tasks.replace(makeRow({ id: 'one', uid: newUid(NOW) }), one);
      await tasks.update(A, 'two', two, { set: { redrivenAs: { id: 'new', uid: newUid(NOW) } } });
      expect(await list.newest(A, dayOf(TODAY, 'thumbnail'), ALL, 9)).toEqual({ tasks: [], exhausted: true });
      expect(await tasks.get(A, 'two')).toMatchObject({ state: 'failed', redrivenAs: { id: 'new' } });
    });

    it("reads rows of its tenant's tasks as they are now", async () => {
      const row = await fail('one');
      await fail('one', NOW, { tenant: B });
      expect(await list.rows(A, ['one', 'nobody', 'one'])).toEqual([row]);
      expect(await list.rows('nobody', ['one'])).toEqual([]);
    });
  });
}
