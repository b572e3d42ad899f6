import { LIMITS, type TaskRow } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { runOnce, type RunOptions } from '../../sim/run.ts';
import type { Simulation } from '../../sim/simulation.ts';
import { submit } from '../../sim/workload.ts';
import { CALL_FAULTS } from '../../sim/faults.ts';
import { faultIn, forced, type Want } from '../helpers/forced.ts';

const SLOW: Want = { what: 'takes', value: 4 };

interface Ran {
  readonly violations: readonly unknown[];
  readonly rows: readonly TaskRow[];
}

/** Two low tasks of 29 s fill their lane; after them come high ones. */
async function run(wants: readonly Want[], high: number, options: Partial<RunOptions> = {}): Promise<Ran> {
  let sim: Simulation | undefined;
  const result = await runOnce({
    source: forced(SLOW, ...wants),
    profile: {},
    workload: (s) => {
      sim = s;
      const at = (ms: number, id: string, priority: string) =>
        s.kernel.after(ms, () => submit(s, s.root.fork(id), 'a', [{ type: 'narrow', id, priority }]));
      at(1_000, 'narrow-0', 'low');
      at(1_000, 'narrow-1', 'low');
      for (let n = 0; n < high; n++) at(3_000 + n, `narrow-${n + 2}`, 'high');
    },
    ...options,
  });
  return { violations: result.violations, rows: sim?.services.tasks.rows() ?? [] };
}

const ofClass = (rows: readonly TaskRow[], priority: string) => rows.filter((row) => row.priority === priority);
const preempted = (rows: readonly TaskRow[]) => rows.reduce((sum, { preempted: times = 0 }) => sum + times, 0);

describe('low attempts of a preemptible type', () => {
  it('make room for one high task each, and end as if nothing had been', async () => {
    const { violations, rows } = await run([], 1);
    expect(violations).toEqual([]);
    expect(preempted(rows)).toBe(1);
    expect(rows.every((row) => row.state === 'succeeded' && row.attempts === 1)).toBe(true);
    const [high] = ofClass(rows, 'high');
    // It waited for half of a run and not for a whole one.
    expect((high?.run?.claimedAt ?? 0) - (high?.at ?? 0)).toBeLessThan(20_000);
  });

  it('are not made to begin again and again', async () => {
    const { violations, rows } = await run([], 12);
    expect(violations).toEqual([]);
    expect(rows.every((row) => row.state === 'succeeded' && row.attempts === 1)).toBe(true);
    expect(preempted(rows)).toBeGreaterThan(0);
    for (const row of ofClass(rows, 'low')) expect(row.preempted ?? 0).toBeLessThanOrEqual(LIMITS.preemptions);
  });

  it.each(
    ['permits.read', 'backlog.first', 'permits.preempt', 'tasks.update', 'tasks.get'].flatMap((at) =>
      CALL_FAULTS.slice(1).map((fault) => [at, fault] as const),
    ),
  )('end well when the question whether to go on meets a fault (%s, %s)', async (at, fault) => {
    const { violations, rows } = await run([faultIn('attempt', at, fault)], 2);
    expect(violations).toEqual([]);
    expect(rows.every((row) => row.state === 'succeeded' && row.attempts === 1)).toBe(true);
  });
});
