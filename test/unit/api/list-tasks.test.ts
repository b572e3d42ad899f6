import { taskSummarySchema, type ListQuery, type ListResponse, type TaskRow } from '@sluice/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryClock } from '../../../adapters/memory/clock.ts';
import { createMemoryRandom } from '../../../adapters/memory/random.ts';
import { createMemoryTaskList } from '../../../adapters/memory/task-list.ts';
import { systemHasher as hasher } from '../../../adapters/system.ts';
import { listTasks } from '../../../core/api/list-tasks.ts';
import { viewState } from '../../../core/api/view.ts';
import type { TaskList } from '../../../core/ports/task-list.ts';
import { rowOf } from '../../helpers/samples.ts';

const NOW = Date.UTC(2026, 4, 1, 12);
const DAY_MS = 86_400_000;
const random = createMemoryRandom(7);
const iso = (at: number) => new Date(at).toISOString();

let ids = 0;
const accepted = (at: number, over: Partial<TaskRow> = {}): TaskRow =>
  rowOf({ tenant: 'acme', id: `t${ids++}`, uid: random.ulid(at), at, acceptedAt: at, hintedAt: at, ...over });

/** A list over these rows that counts, and whose pages may be as short as the port allows. */
function listOver(rows: readonly TaskRow[], shorten: (limit: number) => number = (limit) => limit) {
  const memory = createMemoryTaskList({ rows: () => rows });
  const asked = { days: 0, rows: 0 };
  const list: TaskList = {
    newest: (tenant, day, range, limit) => {
      asked.days += 1;
      return memory.newest(tenant, day, range, Math.max(1, shorten(limit)));
    },
    rows: (tenant, wanted) => {
      asked.rows += wanted.length;
      return memory.rows(tenant, wanted);
    },
  };
  return { asked, deps: { list, hasher, clock: createMemoryClock(NOW) } };
}

type Deps = ReturnType<typeof listOver>['deps'];

/** Every page of a list. */
async function walk(deps: Deps, tenant: string, query: ListQuery): Promise<readonly ListResponse[]> {
  const pages: ListResponse[] = [];
  let cursor: string | undefined;
  do {
    const page = await listTasks(deps, tenant, { ...query, ...(cursor !== undefined && { cursor }) });
    pages.push(page);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return pages;
}
const uidsOf = (pages: readonly ListResponse[]) => pages.flatMap(({ tasks }) => tasks.map(({ uid }) => uid));
const newestFirst = (rows: readonly TaskRow[]) => rows.map(({ uid }) => uid).sort((a, b) => (a < b ? 1 : -1));
const firstCursor = async (deps: Deps, query: ListQuery = {}): Promise<string> => {
  const { cursor } = await listTasks(deps, 'acme', { limit: 1, ...query });
  if (cursor === undefined) throw new Error('there is no cursor');
  return cursor;
};

describe('any list', () => {
  const TYPES = ['echo', 'mail'];
  const row = fc
    .record({
      tenant: fc.constantFrom('acme', 'acme-2'),
      ago: fc.oneof(
        fc.integer({ min: 0, max: 4 * DAY_MS }),
        fc.integer({ min: 0, max: 120 }).map((days) => days * DAY_MS),
      ),
      type: fc.constantFrom(...TYPES),
      state: fc.constantFrom('waiting', 'running', 'succeeded', 'failed'),
      asked: fc.boolean(),
      gone: fc.boolean(),
      labels: fc.dictionary(fc.constantFrom('team', 'size'), fc.constantFrom('x', 'y', ''), { maxKeys: 2 }),
    })
    .map(({ tenant, ago, type, state, asked, gone, labels }) =>
      accepted(NOW - ago, {
        tenant,
        type,
        labels,
        state: state as 'waiting',
        ...(asked && { cancelAt: NOW }),
        ...(gone && { ttl: NOW / 1_000 }),
      }),
    );
  const query = fc.record(
    {
      type: fc.constantFrom(...TYPES),
      state: fc.constantFrom('running', 'cancelling', 'failed', 'waiting'),
      label: fc.constantFrom<string[]>([], ['team:x'], ['size:'], ['size:y'], ['team:x', 'size:y'], ['size:', 'team:x']),
      from: fc.integer({ min: 0, max: 4 * DAY_MS - 1 }).map((later) => iso(NOW - 5 * DAY_MS + later)),
      to: fc.integer({ min: 0, max: DAY_MS }).map((ago) => iso(NOW - ago)),
      limit: fc.integer({ min: 1, max: 7 }),
    },
    { requiredKeys: [] },
  );

  const holds = (row: TaskRow, { type, state, label = [], from, to }: ListQuery): boolean =>
    (row.ttl ?? Infinity) * 1_000 > NOW &&
    (type === undefined || row.type === type) &&
    (state === undefined || viewState(row) === state) &&
    label.every((text) => row.labels?.[text.slice(0, text.indexOf(':'))] === text.slice(text.indexOf(':') + 1)) &&
    row.acceptedAt >= Date.parse(from ?? iso(Date.parse(to ?? iso(NOW)) - 90 * DAY_MS)) &&
    (to === undefined || row.acceptedAt < Date.parse(to));

  it("is, page after page, the tenant's tasks that match, the newest first, each once", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 60 }), query, fc.integer({ min: 1, max: 9 }), async (rows, given, shortest) => {
        const asked = given as ListQuery;
        const { deps } = listOver(rows, (limit) => Math.min(limit, shortest));
        const pages = await walk(deps, 'acme', asked);
        expect(uidsOf(pages)).toEqual(newestFirst(rows.filter((r) => r.tenant === 'acme' && holds(r, asked))));
        for (const { tasks } of pages) {
          expect(tasks.length).toBeLessThanOrEqual(asked.limit ?? 50);
          for (const task of tasks) expect(taskSummarySchema.parse(task)).toEqual(task);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('a page', () => {
  it('stays where it is while new tasks come, and its size may change on the way', async () => {
    const rows = Array.from({ length: 30 }, (_, n) => accepted(NOW - n));
    const { deps } = listOver(rows);
    const sorted = newestFirst(rows);
    const { cursor = '', tasks } = await listTasks(deps, 'acme', { limit: 10 });
    rows.push(accepted(NOW), accepted(NOW + 5));
    expect(tasks.map(({ uid }) => uid)).toEqual(sorted.slice(0, 10));
    const next = await listTasks(deps, 'acme', { limit: 15, cursor });
    expect(next.tasks.map(({ uid }) => uid)).toEqual(sorted.slice(10, 25));
  });

  it('has a task of this very moment, of a clock that is a little ahead as well', async () => {
    const rows = [accepted(NOW), accepted(NOW + 900)];
    expect((await listTasks(listOver(rows).deps, 'acme', {})).tasks).toHaveLength(2);
  });

  it('is the last when it ends with the last task of its days', async () => {
    const { deps } = listOver([accepted(NOW), accepted(NOW - 1)]);
    expect(await listTasks(deps, 'acme', { limit: 2, from: iso(NOW - 10) })).not.toHaveProperty('cursor');
  });

  it('leaves out a generation that is another by now, and one that is gone', async () => {
    const rows = [accepted(NOW, { id: 'a' }), accepted(NOW - 1, { id: 'b' })];
    const { deps } = listOver(rows);
    const { newest } = deps.list;
    const stale = { id: 'a', uid: random.ulid(NOW) };
    const nobody = { id: 'nobody', uid: random.ulid(NOW - 2) };
    const late: TaskList = {
      ...deps.list,
      newest: async (tenant, day, range, limit) => {
        const page = await newest(tenant, day, range, limit);
        return page.tasks.length === 0 ? page : { ...page, tasks: [stale, ...page.tasks, nobody] };
      },
    };
    expect(uidsOf([await listTasks({ ...deps, list: late }, 'acme', { limit: 5 })])).toEqual(rows.map(({ uid }) => uid));
  });

  it('shows a task without its stack, and asks for no more than one page of rows', async () => {
    const error = { name: 'E', message: 'm', stack: 'at x' };
    const rows = Array.from({ length: 300 }, (_, n) => accepted(NOW - n, { state: 'failed', reason: 'fatal', error, endedAt: NOW }));
    const { deps, asked } = listOver(rows);
    const { tasks } = await listTasks(deps, 'acme', {});
    expect(tasks[0]).toMatchObject({ state: 'failed', error: { name: 'E', message: 'm' }, acceptedAt: iso(NOW), endedAt: iso(NOW) });
    expect(JSON.stringify(tasks)).not.toContain('at x');
    expect([tasks.length, asked.rows, asked.days]).toEqual([50, 50, 1]);
  });
});

describe('the work of one call', () => {
  it('goes back over three months of nothing, in few rounds', async () => {
    const { deps, asked } = listOver([accepted(NOW - 89 * DAY_MS)]);
    const page = await listTasks(deps, 'acme', {});
    expect(page.tasks).toHaveLength(1);
    expect(page.cursor).toBeUndefined();
    expect(asked.days).toBeLessThanOrEqual(92);
  });

  it('ends after a hundred days, with a cursor that goes on from there', async () => {
    const row = accepted(NOW - 250 * DAY_MS);
    const { deps, asked } = listOver([row]);
    const from = iso(NOW - 260 * DAY_MS);
    const first = await listTasks(deps, 'acme', { from });
    expect(first.tasks).toEqual([]);
    expect(asked.days).toBe(100);
    const pages = await walk(deps, 'acme', { from });
    expect(uidsOf(pages)).toEqual([row.uid]);
    expect(pages.map(({ tasks }) => tasks.length)).toEqual([0, 0, 1]);
  });

  it('ends after two thousand tasks that do not match', async () => {
    const rows = [...Array.from({ length: 2_500 }, (_, n) => accepted(NOW - n)), accepted(NOW - 5_000, { type: 'rare' })];
    const { deps, asked } = listOver(rows);
    const first = await listTasks(deps, 'acme', { type: 'rare' });
    expect(first.tasks).toEqual([]);
    expect(asked.rows).toBe(2_000);
    const { tasks, cursor } = await listTasks(deps, 'acme', { type: 'rare', cursor: first.cursor });
    expect([tasks.length, cursor]).toEqual([1, undefined]);
  });

  it('is one look at one day for a range in a day', async () => {
    const { deps, asked } = listOver([]);
    await listTasks(deps, 'acme', { from: iso(NOW - 1_000), to: iso(NOW) });
    expect(asked.days).toBe(1);
    await listTasks(deps, 'acme', { from: iso(NOW + 3_600_000) });
    await listTasks(deps, 'acme', { to: '1969-12-31T23:59:59Z' });
    expect(asked.days).toBe(1);
  });

  it('does not walk years in which there is nothing, before 1970 or in the future', async () => {
    const { deps } = listOver([accepted(NOW)]);
    const page = await listTasks(deps, 'acme', { from: '0001-01-01T00:00:00Z', to: '9999-12-31T23:59:59Z' });
    expect(page.tasks).toHaveLength(1);
    expect(await walk(deps, 'acme', { from: '0001-01-01T00:00:00Z' })).toHaveLength(Math.ceil(Math.ceil(NOW / DAY_MS) / 100));
  });
});

describe('a cursor', () => {
  const rows = Array.from({ length: 9 }, (_, n) => accepted(NOW - n, { labels: { a: '1', b: '2' } }));
  const { deps } = listOver([...rows, ...rows.map((r) => ({ ...r, tenant: 'acme-2' }))]);
  const refused = { code: 'bad_cursor' };

  it('is short, and made of letters that a URL needs not encode', async () => {
    expect(await firstCursor(deps)).toMatch(/^[A-Za-z0-9_-]{56}$/);
  });

  it('is refused once any of its characters is another, one is missing or one is too many', async () => {
    const cursor = await firstCursor(deps);
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: cursor.length - 1 }),
        fc.constantFrom(...'ABCXYZabcxyz0189-_=. '),
        fc.constantFrom('in place', 'added', 'removed'),
        async (n, character, how) => {
          const rest = cursor.slice(how === 'added' ? n : n + 1);
          const changed = cursor.slice(0, n) + (how === 'removed' ? '' : character) + rest;
          fc.pre(changed !== cursor);
          await expect(listTasks(deps, 'acme', { cursor: changed })).rejects.toMatchObject(refused);
        },
      ),
    );
    for (const cursor of ['', 'x', 'A'.repeat(56)]) await expect(listTasks(deps, 'acme', { cursor })).rejects.toMatchObject(refused);
  });

  it("is refused where it is another tenant's, and tells what to do", async () => {
    const cursor = await firstCursor(deps);
    await expect(listTasks(deps, 'acme-2', { cursor })).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('begin anew'),
    });
  });

  it.each<[ListQuery, ListQuery]>([
    [{}, { type: 'echo' }],
    [{ state: 'waiting' }, { state: 'running' }],
    [{ label: ['a:1'] }, { label: ['a:1', 'b:2'] }],
    [{ from: iso(NOW - 500) }, { from: iso(NOW - 501) }],
    [{ to: iso(NOW - 1) }, {}],
  ])('of %j is refused with %j', async (made, used) => {
    const cursor = await firstCursor(deps, made);
    await expect(listTasks(deps, 'acme', { ...used, cursor })).rejects.toMatchObject(refused);
  });

  it('goes with the same labels in another order', async () => {
    const cursor = await firstCursor(deps, { label: ['a:1', 'b:2'] });
    expect((await listTasks(deps, 'acme', { label: ['b:2', 'a:1', 'b:2'], cursor })).tasks).toHaveLength(8);
  });

  it('that someone made of a position of their own shows nothing but what the query may', async () => {
    for (const position of ['Z'.repeat(26), '0'.repeat(26), `7${'Z'.repeat(25)}`, `${'0'.repeat(25)}1`]) {
      const bound = ['1', 'acme', null, null, [], iso(NOW - 4), null, position];
      const digest = hasher.sha256(`list ${JSON.stringify(bound)}`).slice(0, 15);
      const cursor = btoa(`1${position}${digest}`).replaceAll('+', '-').replaceAll('/', '_');
      const { tasks } = await listTasks(deps, 'acme', { from: iso(NOW - 4), cursor });
      expect(tasks.length).toBe(position.startsWith('0') ? 0 : 5);
    }
  });
});

describe('what cannot be listed', () => {
  const { deps } = listOver([]);

  it('is anything where there is no index', async () => {
    await expect(listTasks({ ...deps, list: undefined }, 'acme', {})).rejects.toMatchObject({
      code: 'not_enabled',
      message: expect.stringContaining('listIndex'),
    });
  });

  it.each<[ListQuery, string]>([
    [{ from: iso(NOW), to: iso(NOW) }, 'from must be before to'],
    [{ label: ['team:x', 'team:y'] }, 'label team is asked for as "x" and as "y"'],
  ])('%j', async (query, message) => {
    await expect(listTasks(deps, 'acme', query)).rejects.toMatchObject({ code: 'bad_request', message: expect.stringContaining(message) });
  });
});
