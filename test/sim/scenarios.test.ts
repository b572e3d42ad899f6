import { describe, expect, it } from 'vitest';
import { EventQueue } from '../../sim/scenarios/engine/event-queue.ts';
import { jain } from '../../sim/scenarios/engine/metrics.ts';
import { TaskList, Tasks } from '../../sim/scenarios/engine/tasks.ts';
import { chanceFrom, zipf } from '../../sim/scenarios/engine/chance.ts';
import { KNOWN_MISSES, surprises } from '../../sim/scenarios/known-misses.ts';
import { plot } from '../../sim/scenarios/report/plot.ts';
import { page } from '../../sim/scenarios/report/write.ts';
import { SCENARIOS } from '../../sim/scenarios/scenarios.ts';
import { tenantGrowth } from '../../sim/scenarios/set/tenant-growth.ts';

const QUICK = { seed: 1, quick: true };
/** ms, of a busy machine. */
const LONG = 120_000;

describe('the engine', () => {
  it('takes events by time, and those of one time in the order in which they were asked for', () => {
    const events = new EventQueue(2);
    const chance = chanceFrom(1, 'times');
    const times = Array.from({ length: 2_000 }, () => chance.below(300));
    times.forEach((at, n) => events.push(at, 0, n));
    const taken: number[] = [];
    while (events.pop(Infinity)) taken.push(events.subject);
    const sorted = times.map((at, n) => [at, n] as const).sort(([a, x], [b, y]) => a - b || x - y);
    expect(taken).toEqual(sorted.map(([, n]) => n));
  });

  it('uses the place of a task that has ended again, and keeps lists in order', () => {
    const tasks = new Tasks(2);
    const list = new TaskList(tasks);
    const all = Array.from({ length: 5 }, (_, n) => tasks.add(n, n, 1, 1));
    for (const task of all) list.push(task);
    expect([list.shift(), list.shift()]).toEqual([all[0], all[1]]);
    tasks.remove(all[0]!);
    expect(tasks.add(9, 9, 1, 1)).toBe(all[0]);
    list.unshift(all[1]!);
    expect([list.shift(), list.shift(), list.size, tasks.mostLive]).toEqual([all[1], all[2], 2, 5]);
  });

  it("draws tenants by Zipf's law", () => {
    const { draw, share } = zipf(100, 1);
    const chance = chanceFrom(1, 'tenants');
    const counts = new Float64Array(100);
    for (let n = 0; n < 100_000; n++) counts[draw(chance)]! += 1;
    for (const n of [0, 1, 10, 99]) expect(counts[n]! / 100_000).toBeCloseTo(share(n), 2);
  });

  it('measures fairness from 1, all alike, to 1/n, all for one', () => {
    expect(jain([3, 3, 3])).toBeCloseTo(1);
    expect(jain([1, 0, 0, 0])).toBeCloseTo(0.25);
  });
});

describe('a small scenario', () => {
  it.each(SCENARIOS)(
    '$name runs, and ours meets the goals but for what is known to be missed',
    (scenario) => {
      const result = scenario.run(QUICK);
      expect(result.goals.length).toBeGreaterThan(0);
      expect(surprises(result, true)).toEqual([]);
    },
    LONG,
  );

  it(
    'is the same byte for byte from the same seed, and another from another',
    async () => {
      const [first, again, other] = [run(1), run(1), run(2)];
      expect(page(again)).toBe(page(first));
      expect(await plot(again)).toBe(await plot(first));
      expect(page(other)).not.toBe(page(first));
    },
    LONG,
  );
});

describe('what is known to be missed', () => {
  const goal = (value: number) => ({ name: 'a', goals: [{ what: 'the wait', value, is: '<=' as const, bound: 10 }] });
  const known = (of: 'whole' | 'quick' | 'both', what = 'the wait') => [{ scenario: 'a', what, of, why: 'it is so' }];

  it('is no surprise, and what is missed beside it is', () => {
    expect(surprises(goal(11), false, known('both'))).toEqual([]);
    expect(surprises(goal(11), true, known('quick'))).toEqual([]);
    expect(surprises(goal(11), false, known('quick'))).toEqual(['a: the wait is 11, and is to be <= 10']);
    expect(surprises(goal(Number.NaN), false, [])).toEqual(['a: the wait is –, and is to be <= 10']);
  });

  it('is a surprise once it is met, or is no goal any more', () => {
    expect(surprises(goal(9), false, [])).toEqual([]);
    expect(surprises(goal(9), false, known('whole'))).toEqual(['a: the wait is known to be missed, and is met: 9']);
    expect(surprises(goal(9), true, known('whole'))).toEqual([]);
    expect(surprises(goal(9), false, known('both', 'the rest'))).toEqual(['a: the rest is known to be missed, and is no goal']);
  });

  it('is of scenarios that there are', () => {
    const names = SCENARIOS.map(({ name }) => name);
    expect(KNOWN_MISSES.filter(({ scenario }) => !names.includes(scenario))).toEqual([]);
  });
});

function run(seed: number) {
  return tenantGrowth.run({ seed, quick: true });
}
