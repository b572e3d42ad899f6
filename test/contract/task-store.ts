import type { TaskRow } from '@sluice/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { LastingTaskStore } from '../../core/ports/task-store.ts';
import { A, B, makeAttempt, makeRow, makeRun, newUid, NOW } from './fixtures.ts';

/** @param make a store whose scans have pages of at most 7 items */
export function taskStoreContract(name: string, make: () => Promise<LastingTaskStore>): void {
  describe(`task store: ${name}`, () => {
    let store: LastingTaskStore;
    beforeEach(async () => {
      store = await make();
    });

    const inserted = async (given: Partial<TaskRow> = {}): Promise<TaskRow> => {
      const row = makeRow(given);
      expect(await store.insert(row)).toEqual({ applied: true, row });
      return row;
    };
    const scanAll = async (segments: number): Promise<readonly TaskRow[]> => {
      const rows: TaskRow[] = [];
      for (let segment = 0; segment < segments; segment++) {
        let next: string | undefined;
        do {
          const page = await store.scan(segment, segments, next);
          rows.push(...page.rows);
          next = page.next;
        } while (next !== undefined);
      }
      return rows;
    };

    describe('insert', () => {
      it('keeps every field of a row', async () => {
        const row = await inserted({
          id: 'a.b:c@d=e+f~g-H_1',
          fence: 3,
          seq: 7,
          expiresAt: NOW + 1,
          labels: { size: 'groß', empty: '' },
          retry: { maxAttempts: 3 },
          run: makeRun(),
          firstClaimAt: NOW,
          startedAt: NOW,
          result: { in: 's3', key: 'acme/x', bytes: 12 },
          error: { name: 'Error', message: 'no', stack: 'at x' },
          reason: 'fatal',
          endedAt: NOW,
          endedBy: 'record',
          ttl: 1_900_000_000,
        });
        expect(await store.get(A, row.id)).toEqual(row);
      });

      it('is lost to a row that is there, and answers with it', async () => {
        const first = await inserted();
        expect(await store.insert(makeRow())).toEqual({ applied: false, row: first });
        expect(await store.get(A, first.id)).toEqual(first);
      });

      it('repeated, is lost to itself', async () => {
        const row = await inserted();
        expect(await store.insert(row)).toEqual({ applied: false, row });
      });

      it('lets one of many win, and tells the others who', async () => {
        const rows = Array.from({ length: 12 }, () => makeRow());
        const results = await Promise.all(rows.map((row) => store.insert(row)));
        const winners = results.filter((result) => result.applied);
        expect(winners).toHaveLength(1);
        for (const result of results) expect(result.row).toEqual(winners[0]?.row);
      });

      it('shares no object with its caller', async () => {
        const row = makeRow({ labels: { a: '1' } });
        await store.insert(row);
        (row.labels as Record<string, string>)['a'] = '2';
        expect((await store.get(A, row.id))?.labels).toEqual({ a: '1' });
      });
    });

    describe('update', () => {
      it('sets, removes and raises the seq in one write, and answers with the row', async () => {
        const { id, uid } = await inserted({ error: { name: 'E', message: 'm' }, expiresAt: NOW });
        const run = makeRun();
        const result = await store.update(
          A,
          id,
          { uid, seq: 0 },
          {
            set: { state: 'running', fence: 1, run, at: NOW + 5 },
            remove: ['error', 'expiresAt'],
          },
        );
        const row = makeRow({ uid, seq: 1, state: 'running', fence: 1, run, at: NOW + 5 });
        expect(result).toEqual({ applied: true, row });
        expect(await store.get(A, id)).toEqual(row);
      });

      it('sets once what is not there yet', async () => {
        const { id, uid } = await inserted();
        const first = { set: {}, setOnce: { firstClaimAt: 1 } };
        await store.update(A, id, { uid, seq: 0 }, first);
        const again = await store.update(A, id, { uid, seq: 1 }, { set: {}, setOnce: { firstClaimAt: 2, startedAt: 3 } });
        expect(again.row).toMatchObject({ seq: 2, firstClaimAt: 1, startedAt: 3 });
      });

      it('leaves alone what it is given no value for', async () => {
        const { id, uid } = await inserted({ ttl: 5 });
        const result = await store.update(A, id, { uid, seq: 0 }, { set: { ttl: undefined, lost: 1 } });
        expect(result.row).toMatchObject({ ttl: 5, lost: 1 });
      });

      it('is lost on another seq, another uid and no row, and changes nothing', async () => {
        const row = await inserted({ seq: 4 });
        const change = { set: { lost: 9 } };
        for (const version of [
          { uid: row.uid, seq: 3 },
          { uid: row.uid, seq: 5 },
          { uid: newUid(), seq: 4 },
        ]) {
          expect(await store.update(A, row.id, version, change)).toEqual({ applied: false, row });
        }
        expect(await store.update(A, 'nobody', { uid: row.uid, seq: 4 }, change)).toEqual({
          applied: false,
          row: undefined,
        });
        expect(await store.get(A, 'nobody')).toBeUndefined();
      });

      it('repeated, is lost to itself and shows its own nonce', async () => {
        const { id, uid } = await inserted();
        const change = { set: { run: makeRun() } };
        const first = await store.update(A, id, { uid, seq: 0 }, change);
        expect(await store.update(A, id, { uid, seq: 0 }, change)).toEqual({ applied: false, row: first.row });
      });

      it('lets one of many win', async () => {
        const { id, uid } = await inserted();
        const results = await Promise.all(
          Array.from({ length: 12 }, () => store.update(A, id, { uid, seq: 0 }, { set: { run: makeRun() } })),
        );
        const winners = results.filter((result) => result.applied);
        expect(winners).toHaveLength(1);
        for (const result of results) expect(result.row).toEqual(winners[0]?.row);
      });

      it('fails a task whether or not it names the type', async () => {
        for (const [id, type] of [
          ['one', {}],
          ['two', { type: 'thumbnail' }],
        ] as const) {
          const { uid } = await inserted({ id });
          const change = { set: { state: 'failed', reason: 'fatal', endedAt: NOW, ...type } } as const;
          expect(await store.update(A, id, { uid, seq: 9 }, change)).toMatchObject({ applied: false, row: { seq: 0 } });
          expect(await store.update(A, id, { uid, seq: 0 }, change)).toMatchObject({
            applied: true,
            row: { seq: 1, state: 'failed', reason: 'fatal' },
          });
        }
        const nobody = await store.update(A, 'nobody', { uid: newUid(), seq: 0 }, { set: { state: 'failed' } });
        expect(nobody).toEqual({ applied: false, row: undefined });
      });
    });

    describe('replace', () => {
      it('puts a new generation in place of the version that was read, whole', async () => {
        const old = await inserted({ state: 'failed', reason: 'fatal', seq: 6, fence: 5 });
        const row = makeRow();
        expect(await store.replace(row, old)).toEqual({ applied: true, row });
        expect(await store.get(A, row.id)).toEqual(row);
      });

      it('is lost on another version and on no row', async () => {
        const old = await inserted({ state: 'failed', seq: 6 });
        const row = makeRow();
        for (const version of [
          { uid: old.uid, seq: 5 },
          { uid: row.uid, seq: 6 },
        ]) {
          expect(await store.replace(row, version)).toEqual({ applied: false, row: old });
        }
        expect(await store.replace(makeRow({ id: 'nobody' }), old)).toEqual({ applied: false, row: undefined });
      });

      it('lets one of many win', async () => {
        const old = await inserted({ state: 'failed' });
        const results = await Promise.all(Array.from({ length: 8 }, () => store.replace(makeRow(), old)));
        expect(results.filter((result) => result.applied)).toHaveLength(1);
      });
    });

    describe('what is kept beside a row', () => {
      it('archives a generation, again and again, without touching the row', async () => {
        const old = await inserted({ state: 'failed' });
        await store.archive(old);
        await store.archive(old);
        expect(await store.get(A, old.id)).toEqual(old);
        expect(await scanAll(1)).toEqual([old]);
      });

      it('gives the attempts of one generation in order of their fences', async () => {
        const [uid, other] = [newUid(), newUid()];
        for (const fence of [10, 9, 100]) await store.putAttempt(A, 'x', makeAttempt({ uid, fence }), 1_900_000_000);
        await store.putAttempt(A, 'x', makeAttempt({ uid: other, fence: 1 }), 1_900_000_000);
        const attempts = await store.attempts(A, 'x', uid);
        expect(attempts.map(({ fence }) => fence)).toEqual([9, 10, 100]);
      });

      it('keeps an attempt that is put again once, as it was put last', async () => {
        const attempt = makeAttempt({ error: { name: 'E', message: 'm' } });
        await store.putAttempt(A, 'x', makeAttempt({ uid: attempt.uid }), 1_900_000_000);
        await store.putAttempt(A, 'x', attempt, 1_900_000_000);
        expect(await store.attempts(A, 'x', attempt.uid)).toEqual([attempt]);
      });

      it('keeps a late success beside the failure that it came after', async () => {
        const failure = makeAttempt({ error: { name: 'E', message: 'm' } });
        const late = makeAttempt({ uid: failure.uid, fence: failure.fence, class: 'succeeded', late: true });
        await store.putAttempt(A, 'x', failure, 1_900_000_000);
        await store.putAttempt(A, 'x', late, 1_900_000_000);
        expect(await store.attempts(A, 'x', failure.uid)).toEqual([failure, late]);
      });
    });

    describe('attempts that are kept for longer', () => {
      it('stay as they are, and those that are not there do not come to be', async () => {
        const attempts = Array.from({ length: 30 }, (_, n) => makeAttempt({ fence: n + 1, error: { name: 'E', message: 'm' } }));
        const uid = newUid();
        for (const [n, attempt] of attempts.entries()) await store.putAttempt(A, 'x', { ...attempt, uid }, 1_900_000_000 + n);
        await store.keepAttempts(A, 'x', uid, 1_900_000_020, 1_900_000_100);
        await store.keepAttempts(A, 'y', uid, 1_900_000_020, 1_900_000_100);
        expect(await store.attempts(A, 'x', uid)).toEqual(attempts.map((attempt) => ({ ...attempt, uid })));
        expect(await store.attempts(A, 'y', uid)).toEqual([]);
      });
    });

    describe('scan', () => {
      it.each([1, 3])('finds each row of every tenant once, in %i segments and many pages', async (segments) => {
        const rows: TaskRow[] = [];
        for (let n = 0; n < 20; n++) rows.push(await inserted({ tenant: n % 2 ? A : B, id: `t${n}` }));
        await store.putAttempt(A, 't1', makeAttempt(), 1_900_000_000);
        const found = await scanAll(segments);
        const byUid = (a: TaskRow, b: TaskRow): number => (a.uid < b.uid ? -1 : 1);
        expect([...found].sort(byUid)).toEqual([...rows].sort(byUid));
      });
    });

    describe('two tenants with the same ids and uids', () => {
      it('see, change and replace their own alone', async () => {
        const ofA = await inserted();
        expect(await store.get(B, ofA.id)).toBeUndefined();
        const lost = { applied: false, row: undefined };
        expect(await store.update(B, ofA.id, ofA, { set: { lost: 1 } })).toEqual(lost);
        expect(await store.replace({ ...ofA, tenant: B }, ofA)).toEqual(lost);

        const ofB = await inserted({ tenant: B, uid: ofA.uid });
        await store.update(B, ofB.id, ofB, { set: { lost: 1 } });
        expect(await store.get(A, ofA.id)).toEqual(ofA);
        expect(await store.get(B, ofB.id)).toMatchObject({ tenant: B, lost: 1 });
      });

      it('see their own attempts alone', async () => {
        const attempt = makeAttempt();
        await store.putAttempt(A, 'x', attempt, 1_900_000_000);
        expect(await store.attempts(B, 'x', attempt.uid)).toEqual([]);
        expect(await store.attempts(A, 'x-2', attempt.uid)).toEqual([]);
      });
    });
  });
}
