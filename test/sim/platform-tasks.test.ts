import type { TaskRow } from '@sluice/contracts';
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
  return { ...result, rows: sim?.services.tasks.rows() ?? [] };
}

const fragile = (n: number, at: number) => ({ type: 'fragile', id: `fragile-${n}`, at });
const BATCH = [fragile(0, 1_000)];

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
});
