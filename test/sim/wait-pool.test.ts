import { expect, it } from 'vitest';
import { runOnce } from '../../sim/run.ts';
import { submit } from '../../sim/workload.ts';
import { forced } from '../helpers/forced.ts';

/** Of the type `short`, which is waited for. */
const LIMIT = 2;
const TASKS = 400;
/** Which of the simulation's times a run takes, and a call: a second, and 5 ms. */
const TAKES = { what: 'takes', value: 2 };
const CALLS = { what: 'way', value: 2 };
/** ms from the end of a run to the beginning of the next in its slot, at most: a dozen calls, and no message. */
const TURN_MS = 80;

it('the pool of a lane that is waited for is as large as its limit while it has a backlog', async () => {
  const runs: { readonly from: number; readonly to: number }[] = [];
  /** How many permits the lane's cell holds from each time on. */
  const held: { readonly at: number; readonly permits: number }[] = [];
  const { violations, states } = await runOnce({
    source: forced(TAKES, CALLS),
    faultsMs: 1_800_000,
    workload: (sim) => {
      const ids = Array.from({ length: TASKS }, (_, n) => n);
      for (const n of ids) sim.kernel.after(1_000 + n, () => submit(sim, sim.root.fork('task', n), 'a', [{ type: 'short', id: `t${n}` }]));
    },
    plant: ({ permits, starter, clock, ...ports }) => ({
      ...ports,
      clock,
      permits: {
        ...permits,
        acquire: async (...args) => {
          const answer = await permits.acquire(...args);
          held.push({ at: clock.now(), permits: answer.cell.permits.length });
          return answer;
        },
        release: async (...args) => {
          const cell = await permits.release(...args);
          held.push({ at: clock.now(), permits: cell.permits.length });
          return cell;
        },
      },
      starter: {
        start: async (...args) => {
          const from = clock.now();
          const answer = await starter.start(...args);
          runs.push({ from, to: clock.now() });
          return answer;
        },
      },
    }),
  });
  expect(violations).toEqual([]);
  expect([runs.length, states.get('succeeded')]).toEqual([TASKS, TASKS]);

  const starts = runs.map(({ from }) => from).toSorted((a, b) => a - b);
  const ends = runs.map(({ to }) => to).toSorted((a, b) => a - b);
  // Whatever invocation goes on with it: dispatch lives for three minutes, and this takes longer.
  expect(Math.max(...starts.slice(LIMIT).map((at, n) => at - (ends[n] ?? 0)))).toBeLessThanOrEqual(TURN_MS);
  expect((ends.at(-1) ?? 0) - (starts[0] ?? 0)).toBeGreaterThan(180_000);
  // From the first start to the last, after which there is no backlog.
  const [begin = 0, end = 0] = [starts[0], starts.at(-1)];
  const area = held.reduce((sum, { at, permits }, n) => {
    const until = Math.min(held[n + 1]?.at ?? end, end);
    return sum + permits * Math.max(0, until - Math.max(at, begin));
  }, 0);
  expect(area / (LIMIT * (end - begin))).toBeGreaterThanOrEqual(0.95);
  expect(area / (LIMIT * (end - begin))).toBeLessThanOrEqual(1);
});
