import { LIMITS, S3_SHORT_DAYS, type RetryPolicy, type TaskRow } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { getTask } from '../../../core/api/get-task.ts';
import { retryTask } from '../../../core/api/retry-task.ts';
import { listDead } from '../../../core/dead/list-dead.ts';
import { KEPT_MS, HELD_MS } from '../../../core/tasks/kept.ts';
import { isTerminal } from '../../../core/tasks/state.ts';
import { traced } from '../../helpers/faults.ts';
import { createWorld, typeSpec } from '../../helpers/world.ts';

const DAY_MS = 86_400_000;
const DAYS = { maxAttempts: 8, minDelaySeconds: 86_400, maxDelaySeconds: 604_800, factor: 10 };

interface Case {
  readonly retry?: RetryPolicy;
  readonly dedupDays?: number;
  /** What a run throws. @default an error that counts */
  readonly error?: (run: number) => Error;
  /** Days that nothing happens before each attempt, from its time on. */
  readonly heldDays?: number;
  readonly delayDays?: number;
  /** @default all */
  readonly homes?: readonly string[];
}

const throttled = (): Error => Object.assign(new Error('retry after 604800 seconds'), { name: 'ThrottledError' });

/** Homes of payloads, by their length. */
const HOMES = [
  ['row', 10],
  ['item', 5_000],
  ['s3', 50_000],
] as const;

const CASES: readonly (readonly [string, Case])[] = [
  ['was tried eight times with days between', { retry: DAYS }],
  ['was tried as often and as slowly as a policy may ask', { retry: { ...DAYS, maxAttempts: LIMITS.attempts }, homes: ['item'] }],
  ['was throttled for more than a year', { error: (run) => (run <= 60 ? throttled() : new Error('no')) }],
  [
    'was held for months before each attempt',
    { heldDays: 149, retry: { maxAttempts: 3, minDelaySeconds: 120, maxDelaySeconds: 600, factor: 2 } },
  ],
  ['was far away', { delayDays: 366, retry: DAYS }],
  ['keeps its id for a year', { dedupDays: 365 }],
  ['keeps its id for a year, and was tried with days between', { dedupDays: 365, retry: DAYS }],
];

/** Tasks that failed, one with a payload in each home, and how often the handler ran for each. */
async function failed({ retry, dedupDays = 14, error = () => new Error('no'), heldDays = 0, delayDays, homes }: Case) {
  const runs = new Map<string, number>();
  let broken = true;
  const world = createWorld({
    types: [typeSpec('echo', { dedupWindowSeconds: dedupDays * 86_400, ...(retry && { retry }) })],
    handlers: {
      echo: ({ sluice: { task } }) => {
        if (!broken) return 'ok';
        const run = (runs.get(task) ?? 0) + 1;
        runs.set(task, run);
        throw error(run);
      },
    },
  });
  const runAt = new Date(world.clock.now() + (delayDays ?? 0) * DAY_MS).toISOString();
  const tasks = HOMES.filter(([home]) => homes?.includes(home) ?? true).map(([id, length]) => ({
    type: 'echo',
    id,
    payload: 'x'.repeat(length),
    ...(delayDays !== undefined && { runAt }),
  }));
  await world.submit('a', ...tasks);
  const next = (): TaskRow | undefined =>
    world.tasks
      .rows()
      .filter(isOpen)
      .toSorted((a, b) => a.at - b.at)[0];
  for (let row = next(); row; row = next()) {
    // From one attempt to the next: minute by minute it would take long.
    world.clock.set(Math.max(world.clock.now(), row.at + heldDays * DAY_MS));
    const { id, attempts, throttled: refused } = row;
    while (isOpen(row) && row.attempts === attempts && row.throttled === refused) {
      await world.run(60_000);
      row = await world.row('a', id);
    }
  }
  return { world, runs, mend: () => (broken = false), rows: world.tasks.rows().toSorted((a, b) => endOf(a) - endOf(b)) };
}

const isOpen = (row: TaskRow): boolean => !isTerminal(row.state);

function endOf({ ttl }: TaskRow): number {
  if (ttl === undefined) throw new Error('a task that has ended has no end');
  return ttl * 1000;
}

describe.each(CASES)('a dead task that %s', (_, over) => {
  it('can be redriven on its last day, wherever its payload is, and has every attempt', async () => {
    const { world, runs, mend, rows } = await failed(over);
    mend();
    expect(rows.map(({ id, payload }) => [id, payload.in])).toEqual(rows.map(({ id }) => [id, id]));
    expect(rows).toHaveLength(over.homes?.length ?? HOMES.length);
    for (const row of rows) {
      expect(row.state).toBe('failed');
      expect(endOf(row) - (row.endedAt ?? 0)).toBeGreaterThanOrEqual(Math.max(30, over.dedupDays ?? 0) * DAY_MS);
      world.clock.set(endOf(row) - 1_000);
      const { tasks } = await listDead(world.deps, 'a', { from: new Date(row.endedAt ?? 0).toISOString() });
      expect(tasks.map(({ id }) => id)).toContain(row.id);
      expect(await world.tasks.attempts('a', row.id, row.uid)).toHaveLength(runs.get(row.id) ?? 0);
      await retryTask(world.deps, 'a', row.id);
      await world.run();
      expect(await world.row('a', row.id)).toMatchObject({ state: 'succeeded', retryOf: row.uid });
      const { payload } = await getTask(world.deps, 'a', row.id, ['payload']);
      expect(payload).toBe('x'.repeat(new Map<string, number>(HOMES).get(row.id) ?? 0));
    }
  });
});

describe('what is outside the row of a dead task', () => {
  it('is gone in time after it', async () => {
    const { world, rows } = await failed({ retry: DAYS });
    for (const row of rows) {
      world.clock.set(Math.max(world.clock.now(), endOf(row)));
      expect(await world.tasks.get('a', row.id)).toBeUndefined();
    }
    world.clock.advance(KEPT_MS);
    for (const { id, uid, payload } of rows) {
      expect(await world.tasks.attempts('a', id, uid)).toEqual([]);
      if (payload.in === 'row') continue;
      await expect(world.values.get('a', id, uid, 'payload', payload)).rejects.toMatchObject({ code: 'not_found' });
    }
  });

  it('costs no call beyond its attempts where it is like most', async () => {
    const world = createWorld({
      handlers: {
        echo: () => {
          throw new Error('no');
        },
      },
    });
    const { deps, calls } = traced(world.deps);
    await world.submit('a', { type: 'echo', id: 't', payload: 'x'.repeat(5_000) });
    await world.run(3_600_000, deps);
    const row = await world.row('a', 't');
    expect(row).toMatchObject({ state: 'failed', attempts: 3 });
    expect(row).not.toHaveProperty('keptUntil');
    expect(calls.filter(({ at }) => at === 'tasks.putAttempt')).toHaveLength(3);
    expect(calls.filter(({ at }) => /keep/i.test(at))).toEqual([]);
  });

  it('lasts in S3 as long as anything may ask for', () => {
    const longest = Math.max(365 * DAY_MS, LIMITS.retryAfterSeconds * 1000 + HELD_MS) + KEPT_MS - HELD_MS;
    expect(longest).toBeLessThanOrEqual(S3_SHORT_DAYS * DAY_MS);
  });
});
