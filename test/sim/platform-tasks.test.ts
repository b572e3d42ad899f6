import type { ScheduleRecord, TaskRow } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import type { Profile } from '../../sim/faults.ts';
import type { Ports } from '../../sim/ports.ts';
import { runOnce, type RunOptions, type RunResult } from '../../sim/run.ts';
import type { Simulation } from '../../sim/simulation.ts';
import { submit } from '../../sim/workload.ts';
import { startOthers } from '../../sim/clients.ts';
import { forced, struck, type Want } from '../helpers/forced.ts';

interface Told extends RunResult {
  readonly rows: readonly TaskRow[];
  readonly schedules: readonly ScheduleRecord[];
}

type Batch = readonly { readonly type: string; readonly id: string; readonly at?: number }[];

async function run(wants: readonly Want[], batch: Batch, profile: Partial<Profile> = {}, options: Partial<RunOptions> = {}): Promise<Told> {
  let sim: Simulation | undefined;
  const result = await runOnce({
    source: forced(...wants),
    profile,
    workload: (s) => {
      sim = s;
      for (const { at = 1_000, ...task } of batch) s.kernel.after(at, () => submit(s, s.root.fork(task.id), 'a', [task]));
      startOthers(s, ['a'], ['wide']);
    },
    ...options,
  });
  return { ...result, rows: sim?.services.tasks.rows() ?? [], schedules: sim?.services.schedules.all() ?? [] };
}

const fragile = (n: number, at: number) => ({ type: 'fragile', id: `fragile-${n}`, at });
const BATCH = [fragile(0, 1_000)];

/** The second call of the schedules is the pause, the others are the resumes: all that their client makes. */
const paused = (after: number, at: number): Want[] => [
  struck('schedule', 1),
  { what: 'every', value: 1 },
  struck('pause', 1),
  { what: 'pause at', value: at },
  { what: 'resume after', value: after },
  ...[3, 4, 5].map((nth) => ({ what: 'fault in schedules: schedules.put', value: 7, nth })),
];
/** The first occurrence comes at 31 s and its end is lost; the second waits at 61 s, and the pause comes. */
const WAITS_PAUSED = [...paused(0, 57), { what: 'overlap', value: 3 }, struck('record-lost', 1)];

describe('a task that crashes its handler', () => {
  it('is quarantined at its third crash while others of its type live', async () => {
    const { rows, faults, violations } = await run([], [fragile(0, 1_000), fragile(3, 2_000)], { poisons: true });
    expect(violations).toEqual([]);
    expect(rows).toContainEqual(expect.objectContaining({ id: 'fragile-3', state: 'failed', reason: 'quarantined', crashes: 3 }));
    expect(rows).toContainEqual(expect.objectContaining({ id: 'fragile-0', state: 'succeeded' }));
    expect(faults.get('poison')).toBe(3);
  });

  it('burns no attempt while all of its type crash', async () => {
    const { rows, faults, seen, violations } = await run(
      [],
      [0, 1, 2, 4].map((n) => fragile(n, 50_000 + n)),
      { outages: true },
    );
    expect(violations).toEqual([]);
    expect(seen.breakers).toBeGreaterThan(0);
    expect(faults.get('outage')).toBeGreaterThan(4);
    const crashed = rows.filter(({ type }) => type === 'fragile');
    expect(crashed.map(({ state }) => state)).toEqual(Array(4).fill('succeeded'));
    // The first two crashed before three of them had: each counts once.
    expect(crashed.reduce((sum, { crashes = 0 }) => sum + crashes, 0)).toBeLessThanOrEqual(2);
  });
});

describe("the platform's own tasks", () => {
  it('tell an end over each channel once, whatever receivers answer', async () => {
    const { rows, violations } = await run(
      [
        { what: 'the receiver answers', value: 1, nth: 1 },
        { what: 'ends', value: 3, nth: 1 },
      ],
      BATCH,
    );
    expect(violations).toEqual([]);
    const deliveries = rows.filter(({ type }) => type === 'sluice.notify');
    expect(deliveries.map(({ state }) => state)).toEqual(['succeeded', 'succeeded']);
    expect(deliveries.map(({ attempts }) => attempts).sort()).toEqual([1, 2]);
  });

  it('fire each occurrence once, also those of a pause, however the runs of it crash', async () => {
    const wants = [struck('schedule', 1), struck('pause', 1), { what: 'resume after', value: 100 }];
    const { seen, violations } = await run([...wants, { what: 'fault in system: schedules.put', value: 8, nth: 1 }], []);
    expect(violations).toEqual([]);
    // Every 60 s, from one second after the beginning to before seven minutes after it.
    expect(seen.occurrences).toBe(6);
  });

  it('owe what waits when the schedule is paused, until it is resumed', async () => {
    const { schedules, violations } = await run(WAITS_PAUSED, []);
    expect(schedules).toMatchObject([{ state: 'paused', waiting: 1_767_225_661_000 }]);
    expect(violations).toEqual([]);
  });

  it('fire no more once a schedule is paused, but for what was under way', async () => {
    // The fire at 31 s submits its task and dies.
    const wants = [...paused(0, 26), { what: 'fault in system: schedules.put', value: 7, nth: 1 }];
    const { schedules, seen, violations } = await run(wants, []);
    expect(schedules).toMatchObject([{ state: 'paused', next: 1_767_225_631_000 }]);
    expect(seen.occurrences).toBe(1);
    expect(violations).toEqual([]);
  });

  it('redrive what has failed, each task once, also when a run is cut off', async () => {
    const cut = { what: 'fault in system: redrives.replace', value: 8, nth: 2 };
    const { rows, seen, violations } = await run([struck('redrive'), cut, { what: 'ends', value: 3, nth: 1 }], BATCH);
    expect(violations).toEqual([]);
    expect(seen.redriven).toBe(1);
    expect(rows).toContainEqual(expect.objectContaining({ id: 'fragile-0', state: 'succeeded', redrive: expect.any(String) }));
  });
});

describe('what is checked of them', () => {
  const plant = (change: (ports: Ports) => Partial<Ports> & Record<string, unknown>): Partial<RunOptions> => ({
    plant: (ports) => ({ ...ports, ...change(ports) }),
  });

  it('that a delivery which succeeded was sent', async () => {
    const { violations } = await run(
      [],
      BATCH,
      {},
      plant(() => ({ notifications: { send: async () => {} } })),
    );
    expect(violations).toMatchObject([{ kind: 'silence', what: expect.stringContaining('nothing was sent') }]);
  });

  it('that every end is told', async () => {
    const silent = plant(({ tasks }) => ({
      tasks: {
        ...tasks,
        insert: async (row) => (row.type === 'sluice.notify' ? { applied: true, row } : tasks.insert(row)),
      },
    }));
    const { violations } = await run([], BATCH, {}, silent);
    expect(violations).toMatchObject([{ kind: 'silence', what: expect.stringContaining('is not told by queue') }]);
  });

  it('that no occurrence is left out', async () => {
    const forgetful = plant(({ tasks }) => ({
      tasks: {
        ...tasks,
        insert: async (row) => (row.id.includes('@') ? { applied: true, row } : tasks.insert(row)),
      },
    }));
    const { violations } = await run([struck('schedule', 1)], [], {}, forgetful);
    expect(violations).toMatchObject([{ kind: 'lost', what: expect.stringContaining('6 occurrences of a/every-0 were not fired') }]);
  });

  it('that what waits is not forgotten by a pause', async () => {
    const forgetful = plant(({ schedules }) => ({
      schedules: {
        ...schedules,
        put: async (tenant, { waiting, ...record }, seq) =>
          schedules.put(tenant, { ...record, ...(waiting !== undefined && record.state !== 'paused' && { waiting }) }, seq),
      },
    }));
    const { violations } = await run(WAITS_PAUSED, [], {}, forgetful);
    expect(violations).toMatchObject([{ kind: 'lost', what: expect.stringContaining('1 occurrences of a/every-0 were not fired') }]);
  });

  it('that nothing is fired once a schedule is paused', async () => {
    const deaf = plant(({ schedules }) => ({
      schedules: {
        ...schedules,
        get: async (tenant, name) => {
          const record = await schedules.get(tenant, name);
          return record && { ...record, state: record.state === 'paused' ? 'active' : record.state };
        },
        put: async (tenant, record, seq) => {
          const old = await schedules.get(tenant, record.name);
          return old?.state === 'paused' ? { applied: true, found: record } : schedules.put(tenant, record, seq);
        },
      },
    }));
    const { violations } = await run(paused(0, 26), [], {}, deaf);
    expect(violations).toContainEqual({ kind: 'other', what: expect.stringContaining('is no occurrence of its schedule') });
  });

  it('that a redrive counts what it has redriven', async () => {
    const forgetful = plant(({ tasks }) => ({
      tasks: {
        ...tasks,
        replace: async (row, ...rest) => tasks.replace(Object.assign({ ...row }, { redrive: undefined }), ...rest),
      },
    }));
    const { violations } = await run([struck('redrive'), { what: 'ends', value: 3, nth: 1 }], BATCH, {}, forgetful);
    expect(violations).toMatchObject([{ kind: 'other', what: expect.stringContaining('made 0 generations of 1') }]);
  });

  it('that a redrive leaves out nothing that it could redrive', async () => {
    const blind = plant(({ deadTasks }) => ({ deadTasks: { ...deadTasks, newest: async () => ({ tasks: [], exhausted: true }) } }));
    const { violations } = await run([struck('redrive'), { what: 'ends', value: 3, nth: 1 }], BATCH, {}, blind);
    expect(violations).toMatchObject([{ kind: 'lost', what: expect.stringMatching(/could not redrive 0 and left 1: a\/fragile-0\//) }]);
  });
});
